/** Status codes of the Guacamole protocol that are used here. */
export const guacamoleStatus = {
  success: 0,
  serverError: 512,
  upstreamTimeout: 514,
  upstreamError: 515,
  resourceClosed: 518,
  upstreamNotFound: 519,
  upstreamUnavailable: 520,
  sessionConflict: 521,
  sessionClosed: 523,
  clientBadRequest: 768,
  clientUnauthorized: 769,
  clientTimeout: 776,
} as const;
