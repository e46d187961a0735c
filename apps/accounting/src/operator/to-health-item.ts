import type { DeploymentReport, GatewayHealthReport } from '@tokenhub/cluster';

/** One item per deployment, by name, put together from what all gateways say of it. */
export function toHealthItems(reports: readonly GatewayHealthReport[]) {
  const views = reports.flatMap(({ gatewayId, deployments }) =>
    deployments.map((report) => ({ gatewayId, ...report })),
  );
  const byDeployment = Map.groupBy(views, ({ deployment }) => deployment);
  return Array.from(byDeployment.keys())
    .toSorted()
    .map((deployment) => toHealthItem(deployment, byDeployment.get(deployment) ?? []));
}

interface View extends DeploymentReport {
  readonly gatewayId: string;
}

/** The worst of all views, and sums; a time that is not known is null. */
function toHealthItem(deployment: string, views: readonly View[]) {
  const requests = sumOf(views, (view) => view.requests);
  const failures = sumOf(views, (view) => view.failures);
  return {
    deployment,
    breaker: WORST_FIRST.find((breaker) => views.some((view) => view.breaker === breaker)) ?? 'closed',
    open_ms: Math.max(...views.map(({ openMs }) => openMs)),
    cooldown_ms: Math.max(...views.map(({ cooldownMs }) => cooldownMs)),
    requests,
    failures,
    error_rate: requests === 0 ? 0 : failures / requests,
    ttft_ms: meanOf(views, ({ ttftMs }) => ttftMs),
    ms_per_token: meanOf(views, ({ msPerToken }) => msPerToken),
    gateways: views.map(toGatewayItem).toSorted((a, b) => (a.gateway < b.gateway ? -1 : 1)),
  };
}

const WORST_FIRST = ['open', 'half_open', 'closed'] as const satisfies DeploymentReport['breaker'][];

function toGatewayItem(view: View) {
  return {
    gateway: view.gatewayId,
    breaker: view.breaker,
    open_ms: view.openMs,
    cooldown_ms: view.cooldownMs,
    requests: view.requests,
    failures: view.failures,
    error_rate: view.errorRate,
    ttft_ms: view.ttftMs === 0 ? null : view.ttftMs,
    ms_per_token: view.msPerToken === 0 ? null : view.msPerToken,
  };
}

/** Mean of what is known, weighted by requests; an average outlives its requests, so that each view counts as one at least. */
function meanOf(views: readonly View[], valueOf: (view: View) => number): number | null {
  const known = views.filter((view) => valueOf(view) > 0);
  if (known.length === 0) return null;
  const weightOf = ({ requests }: View): number => Math.max(requests, 1);
  return sumOf(known, (view) => valueOf(view) * weightOf(view)) / sumOf(known, weightOf);
}

function sumOf(views: readonly View[], valueOf: (view: View) => number): number {
  return views.reduce((sum, view) => sum + valueOf(view), 0);
}
