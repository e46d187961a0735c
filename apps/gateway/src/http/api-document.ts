import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { API_KEY_HEADER, BEARER } from './describe-route.ts';

/** Serves `/openapi.json`, and a page at `/docs` to read it and to try it out. */
export function serveApiDocument(app: NestFastifyApplication): void {
  const description = new DocumentBuilder()
    .setTitle('TokenHub')
    .setDescription('One endpoint in front of many LLM providers.')
    .setVersion('0.1.0')
    .addSecurity(BEARER, { type: 'http', scheme: 'bearer' })
    .addSecurity(API_KEY_HEADER, { type: 'apiKey', in: 'header', name: 'x-api-key' })
    .build();
  SwaggerModule.setup('docs', app, () => nameWildcards(SwaggerModule.createDocument(app, description)), {
    jsonDocumentUrl: 'openapi.json',
  });
}

/** What a wildcard stands for is called `path` by Nest; here it is always an id that may hold slashes. */
function nameWildcards(document: OpenAPIObject): OpenAPIObject {
  const paths = Object.entries(document.paths).map(([path, item]) => [path.replace('{path}', '{id}'), item]);
  return { ...document, paths: Object.fromEntries(paths) };
}
