// The imaginary company whose telemetry is generated: its services, hosts, users and addresses.

import type { Random } from "./random.ts";

export const SERVICES = [
  "api-gateway",
  "auth-service",
  "order-service",
  "payment-service",
  "catalog-service",
  "search-service",
  "notification-service",
  "app-backend",
] as const;

export type Service = (typeof SERVICES)[number];

export interface Host {
  readonly name: string;
  readonly service: Service;
}

const HOSTS_PER_SERVICE = 2;
const USER_COUNT = 20_000;

export const HOSTS: readonly Host[] = SERVICES.flatMap((service) =>
  Array.from({ length: HOSTS_PER_SERVICE }, (_, i) => ({ name: `${service}-${i + 1}`, service })),
);

export function pickHost(random: Random, service: Service): string {
  return `${service}-${random.integer(1, HOSTS_PER_SERVICE)}`;
}

export function pickUser(random: Random): string {
  return `user-${10_000 + random.integer(0, USER_COUNT - 1)}`;
}

/** From the blocks that RFC 5737 reserves for documentation: nobody's real address. */
export function pickAddress(random: Random): string {
  const block = random.pick(["192.0.2", "198.51.100", "203.0.113"]);
  return `${block}.${random.integer(1, 254)}`;
}

export function pickVersion(random: Random): string {
  return `v${random.integer(1, 4)}.${random.integer(0, 30)}.${random.integer(0, 9)}`;
}
