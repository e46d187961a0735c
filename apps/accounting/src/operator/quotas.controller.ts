import { Controller, Get, Inject, Param } from '@nestjs/common';
import type { QuotaReader } from './quota-reader.ts';
import { QUOTA_READER, SCOPE_DIRECTORY } from '../tokens.ts';
import type { ScopeDirectory } from './scope-directory.ts';
import { toQuotaItem } from './to-item.ts';

@Controller('admin/v1/quotas')
export class QuotasController {
  readonly #quotas: QuotaReader;
  readonly #scopes: ScopeDirectory;

  constructor(@Inject(QUOTA_READER) quotas: QuotaReader, @Inject(SCOPE_DIRECTORY) scopes: ScopeDirectory) {
    this.#quotas = quotas;
    this.#scopes = scopes;
  }

  /** What a scope has used now, read from the store in one step. */
  @Get(':scope')
  async read(@Param('scope') scope: string) {
    const { org, limits } = await this.#scopes.find(scope);
    return toQuotaItem(await this.#quotas.read(scope, org), limits);
  }
}
