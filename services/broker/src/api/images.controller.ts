import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  type ImageVersionView,
  type ImageView,
  type ImportImage,
  importImageSchema,
  nameSchema,
} from '#libs/contracts';
import type { Principal } from '#libs/identity';
import { ImageCatalogue, ImagePublishing } from '#libs/images';
import { DomainError, errors } from '#libs/kernel';
import { ItOnly } from '../auth/it-only.decorator.js';
import { CurrentPrincipal } from '../auth/principal.decorator.js';
import { Endpoint } from '../openapi/endpoint.decorator.js';
import { numberParam } from './number-param.js';

const refused = [errors.notSignedIn, errors.forbidden] as const;
const refusedChange = [...refused, errors.invalidRequest, errors.originRefused, errors.notFound] as const;

@ApiTags('it')
@ItOnly()
@Controller('api/v1/images')
export class ImagesController {
  constructor(
    private readonly images: ImageCatalogue,
    private readonly publishing: ImagePublishing,
  ) {}

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
    const image = await this.images.view(name);
    if (!image) throw new DomainError(errors.notFound, `There is no golden image "${name}"`);
    return image.versions;
  }

  @Post(':name/versions')
  @Endpoint({
    summary: 'Imports a golden image that was built on a host',
    description:
      'Its host writes it to the volume store (`importing`), hosts make their copies (`validating`), and then new ' +
      'desktops start from it (`published`). The same content again is the same version.',
    status: 202,
    answer: 'ImageVersion',
    errors: refusedChange,
  })
  import(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: nameSchema }) name: string,
    @Body({ schema: importImageSchema }) image: ImportImage,
  ): Promise<ImageVersionView> {
    return this.publishing.import(name, image, principal.username);
  }

  @Post(':name/versions/:number/publish')
  @Endpoint({
    summary: 'Has new desktops start from this version',
    description:
      'At once when a host is ready for it, else as soon as one is: look at its `state`. The version that served is ' +
      '`retired` and can be gone back to. One that failed is tried again. Desktops that people have stay as they are.',
    status: 202,
    answer: 'ImageVersion',
    errors: refusedChange,
  })
  publish(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: nameSchema }) name: string,
    @Param('number', numberParam) number: number,
  ): Promise<ImageVersionView> {
    return this.publishing.publish(name, number, principal.username);
  }

  @Post(':name/versions/:number/rollback')
  @Endpoint({
    summary: 'Takes the version that serves back, or goes back to an earlier one',
    description:
      'Given the version that serves: new desktops start from the one that served before it. Given an earlier version ' +
      'that has served: from that one. Never goes forward, so that asking twice changes nothing more. Answers the ' +
      'version that serves from now on.',
    status: 202,
    answer: 'ImageVersion',
    errors: [...refusedChange, errors.conflict],
  })
  rollBack(
    @CurrentPrincipal() principal: Principal,
    @Param('name', { schema: nameSchema }) name: string,
    @Param('number', numberParam) number: number,
  ): Promise<ImageVersionView> {
    return this.publishing.rollBack(name, number, principal.username);
  }
}
