import { HOST_OFFLINE_AFTER_SECONDS } from '../host-offline.js';

/** Columns as the fields of the entity. */
const aliased = (columns: readonly string[]) => (table: string) =>
  columns
    .map((column) => `${table}.${column} AS "${column.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase())}"`)
    .join(', ');

export const desktopColumns = aliased([
  ...[
    'id',
    'pool_id',
    'image_version_id',
    'host',
    'state',
    'state_changed_at',
    'deadline',
    'session_id',
    'assigned_at',
  ],
  ...['display_host', 'display_port', 'sealed_display_password', 'start_method', 'start_ms', 'reason', 'created_at'],
]);

export const poolColumns = aliased([
  ...['id', 'name', 'display_name', 'description', 'image_id', 'roles', 'spares', 'max', 'vcpus', 'memory_mib', 'mode'],
  ...['disconnect_timeout_minutes', 'profile'],
]);

export const sessionColumns = aliased([
  ...['id', 'username', 'pool_id', 'state', 'state_changed_at', 'waiting_since', 'preparing_reason', 'failure'],
  ...['phases', 'display_width', 'display_height', 'created_at'],
]);

/** Whether a desktop is where it can stay: on a host that does not drain and whose provisioner was heard of. */
export const isOnStayingHost = `(hosts.mode <> 'draining'
  AND hosts.last_seen_at > now() - make_interval(secs => ${HOST_OFFLINE_AFTER_SECONDS}))`;

/** Order of the queue: first those who lost their desktop. The index `sessions_queue` has it. */
export const queueOrder = `(state = 'pending'), waiting_since, id`;
