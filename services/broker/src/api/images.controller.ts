import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type ImageVersionView, type ImageView, nameSchema } from '#libs/contracts';
import { ImageCatalogue } from '#libs/images';
import { DomainError, errors } from '#libs/kernel';
import { ItOnly } from '../auth/it-only.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';

const refused = [errors.notSignedIn, errors.forbidden] as const;

@ApiTags('it')
@ItOnly()
@Controller('api/v1/images')
export class ImagesController {
  constructor(private readonly images: ImageCatalogue) {}

  @Get()
  @Endpoint({ summary: 'The golden images with their versions', answer: 'Image', list: true, errors: refused })
  list(): Promise<ImageView[]> {
    return this.images.list();
  }

  @Get(':name/versions')
  @Endpoint({
    summary: 'The versions of a golden image, newest first',
    answer: 'ImageVersion',
    list: true,
    errors: [...refused, errors.notFound],
  })
  async versions(@Param('name', { schema: nameSchema }) name: string): Promise<ImageVersionView[]> {
    const image = (await this.images.list()).find((candidate) => candidate.name === name);
    if (!image) throw new DomainError(errors.notFound, `There is no golden image "${name}"`);
    return image.versions;
  }
}
