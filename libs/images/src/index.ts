export { GoldenImage } from './golden-image.entity.js';
export { ImageCatalogue, type ImageContent } from './image-catalogue.js';
export { ImageVersion } from './image-version.entity.js';
export { ImagesModule } from './images.module.js';
