import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Serves `/openapi.json`, and a page at `/docs` to read it and to try it out. */
export function serveApiDocument(app: NestFastifyApplication): void {
  const description = new DocumentBuilder()
    .setTitle('TokenHub')
    .setDescription('One endpoint in front of many LLM providers.')
    .setVersion('0.1.0')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description), {
    jsonDocumentUrl: 'openapi.json',
  });
}
