const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** True for an address such as `http://…`; a path otherwise. */
export function isAddress(place: string): boolean {
  return SCHEME.test(place);
}

/** True for an address that no packet leaves the machine for. */
export function isLoopback(address: string): boolean {
  return URL.canParse(address) && isLoopbackHost(new URL(address).hostname);
}

/** The same for the name of a host, with or without the brackets of an IPv6 address. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
