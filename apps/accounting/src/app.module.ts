import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { HealthController } from './http/health.controller.ts';
import { DeploymentHealthController } from './operator/deployment-health.controller.ts';
import { CorrectionsController } from './operator/corrections.controller.ts';
import { KeysController } from './operator/keys.controller.ts';
import { LedgerController } from './operator/ledger.controller.ts';
import { QuotasController } from './operator/quotas.controller.ts';
import { ReconcileController } from './operator/reconcile.controller.ts';
import { UsageController } from './operator/usage.controller.ts';

/** The one module: every route, and what `createAccounting` has built for them. */
@Module({
  controllers: [
    HealthController,
    KeysController,
    LedgerController,
    CorrectionsController,
    ReconcileController,
    UsageController,
    QuotasController,
    DeploymentHealthController,
  ],
})
export class AppModule {
  static with(providers: Provider[]): DynamicModule {
    return { module: AppModule, providers };
  }
}
