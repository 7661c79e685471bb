import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiExtension, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { type ErrorDefinition, errors } from '#libs/kernel';
import type { ComponentName } from './components.js';

export interface EndpointDescription {
  readonly summary: string;
  readonly description?: string;
  /** 200 unless told. */
  readonly status?: number;
  /** Name of the schema of the answer; `list` when it is an array of these. */
  readonly answer?: ComponentName;
  readonly list?: boolean;
  /** Media types of an answer that is no JSON. */
  readonly media?: readonly string[];
  /** What can go wrong besides `internal` and `unavailable`, which every call can meet. */
  readonly errors?: readonly ErrorDefinition[];
}

const contentOf = (description: EndpointDescription) => {
  if (description.media) {
    const binary = { schema: { type: 'string', format: 'binary' } };
    return { content: Object.fromEntries(description.media.map((media) => [media, binary])) };
  }
  if (!description.answer) return {};
  const one = { $ref: `#/components/schemas/${description.answer}` };
  const schema = description.list ? { type: 'array', items: one } : one;
  return { content: { 'application/json': { schema } } };
};

/** Says in the OpenAPI document what a handler answers and which error codes it has, and sets its status. */
export function Endpoint(description: EndpointDescription): MethodDecorator {
  const status = description.status ?? 200;
  const faults = [...new Set([...(description.errors ?? []), errors.internal, errors.unavailable])];
  const statuses = [...new Set(faults.map((error) => error.status))];
  return applyDecorators(
    HttpCode(status),
    ApiOperation({
      summary: description.summary,
      ...(description.description === undefined ? {} : { description: description.description }),
    }),
    ApiResponse({ status, description: description.summary, ...contentOf(description) }),
    ...statuses.map((faultStatus) =>
      ApiResponse({
        status: faultStatus,
        description: faults
          .filter((error) => error.status === faultStatus)
          .map((error) => `\`${error.code}\`: ${error.title}`)
          .join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      }),
    ),
    ApiExtension(
      'x-error-codes',
      faults.map((error) => error.code),
    ),
  );
}
