import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { HealthController } from './http/health.controller.ts';
import { ChatController } from './surfaces/chat/chat.controller.ts';
import { ChatCompletionsController } from './surfaces/chat-completions/chat-completions.controller.ts';
import { EmbeddingsController } from './surfaces/embeddings/embeddings.controller.ts';
import { ExplainController } from './surfaces/explain/explain.controller.ts';
import { GenerationsController } from './surfaces/generations/generations.controller.ts';
import { CountTokensController } from './surfaces/messages/count-tokens.controller.ts';
import { MessagesController } from './surfaces/messages/messages.controller.ts';
import { ResponsesController } from './surfaces/responses/responses.controller.ts';
import { ModelsController } from './surfaces/models/models.controller.ts';

/** The one module: every route, and what `createGateway` has built for them. */
@Module({
  controllers: [
    ChatController,
    ChatCompletionsController,
    MessagesController,
    CountTokensController,
    ResponsesController,
    EmbeddingsController,
    ModelsController,
    GenerationsController,
    ExplainController,
    HealthController,
  ],
})
export class AppModule {
  static with(providers: Provider[]): DynamicModule {
    return { module: AppModule, providers };
  }
}
