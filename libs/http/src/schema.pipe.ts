import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { DomainError, errors } from '#libs/kernel';
import { InvalidRequestError } from './problem.js';

/**
 * Checks every argument that names a schema: `@Body({ schema })`, `@Query({ schema })`, `@Param('id', { schema })`.
 * What fits no schema of a path parameter cannot exist, so that is a 404 like any other unknown resource.
 */
@Injectable()
export class SchemaPipe implements PipeTransform {
  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const schema = metadata.schema;
    if (!schema) return value;
    const result = await schema['~standard'].validate(value);
    if (!result.issues) return result.value;
    if (metadata.type === 'param') throw new DomainError(errors.notFound);
    throw new InvalidRequestError(
      result.issues.slice(0, 50).map((issue) => ({
        path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
        message: issue.message,
      })),
      value === undefined ? 'A JSON body is needed (content-type application/json)' : undefined,
    );
  }
}
