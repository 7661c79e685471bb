import { Module } from '@nestjs/common';
import { ImageCatalogue } from './image-catalogue.js';

@Module({ providers: [ImageCatalogue], exports: [ImageCatalogue] })
export class ImagesModule {}
