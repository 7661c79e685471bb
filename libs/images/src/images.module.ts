import { Module } from '@nestjs/common';
import { ImageCatalogue } from './image-catalogue.js';
import { ImageIntake } from './image-intake.js';
import { ImagePublishing } from './image-publishing.js';

const providers = [ImageCatalogue, ImageIntake, ImagePublishing];

@Module({ providers, exports: providers })
export class ImagesModule {}
