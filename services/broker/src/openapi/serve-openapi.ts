import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { sessionCookie } from '#libs/http';
import { components } from './components.js';

/** Version of the contract, not of the program. */
const contractVersion = '1';

export const openApiPath = '/api/openapi.json';

/** The OpenAPI document of all routes of the app. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Goldleaf')
    .setDescription(
      'Golden-image desktop broker. Errors are `application/problem+json` (RFC 9457) with a stable `code`; each call ' +
        'lists its codes under `x-error-codes`. Slow work answers 202 with a resource that can be read, or watched on ' +
        'the websocket `/api/v1/events`, which sends `Event` messages.',
    )
    .setVersion(contractVersion)
    .addBearerAuth()
    .addCookieAuth(sessionCookie)
    .addSecurityRequirements('bearer')
    .addSecurityRequirements('cookie')
    .build();
  const document = SwaggerModule.createDocument(app, base);
  return {
    ...document,
    components: {
      ...document.components,
      schemas: { ...document.components?.schemas, ...components() },
    },
  } as OpenAPIObject;
}

/** Serves the document at `/api/openapi.json`. Call it between the making of the app and `listen`. */
export function serveOpenApi(app: INestApplication): void {
  let json: string | undefined;
  app.getHttpAdapter().get(openApiPath, (_request: unknown, response: OpenApiResponse) => {
    json ??= JSON.stringify(openApiDocument(app));
    response.type('application/json').send(json);
  });
}

interface OpenApiResponse {
  type(mime: string): { send(body: string): void };
}
