import { Controller, Get, Inject, Param } from '@nestjs/common';
import type { Quota } from '@tokenhub/metering';
import { QUOTA, SCOPE_DIRECTORY } from '../tokens.ts';
import type { ScopeDirectory } from './scope-directory.ts';
import { toQuotaItem } from './to-item.ts';

@Controller('admin/v1/quotas')
export class QuotasController {
  readonly #quota: Quota;
  readonly #scopes: ScopeDirectory;

  constructor(@Inject(QUOTA) quota: Quota, @Inject(SCOPE_DIRECTORY) scopes: ScopeDirectory) {
    this.#quota = quota;
    this.#scopes = scopes;
  }

  /** What a scope has used now, read from the store in one step. */
  @Get(':scope')
  async read(@Param('scope') scope: string) {
    const { org, limits } = await this.#scopes.find(scope);
    return toQuotaItem(await this.#quota.read(scope, org), limits);
  }
}
