/** ICMP header (RFC 792): where its fields lie, which types ask, answer, or report an error. */
export const ICMP_HEADER = 8; // bytes
export const ICMP_TYPE = 0;
export const ICMP_CODE = 1;
export const ICMP_CHECKSUM = 2;
export const ICMP_IDENTIFIER = 4;
export const ICMP_SEQUENCE = 6;

export const ECHO_REPLY = 0;
export const UNREACHABLE = 3;
export const SOURCE_QUENCH = 4;
export const REDIRECT = 5;
export const ECHO = 8;
export const TIME_EXCEEDED = 11;
export const PARAMETER_PROBLEM = 12;
export const TIMESTAMP = 13;
export const TIMESTAMP_REPLY = 14;
export const INFORMATION_REQUEST = 15;
export const INFORMATION_REPLY = 16;
export const MASK_REQUEST = 17;
export const MASK_REPLY = 18;

// Codes of UNREACHABLE.
export const PORT_UNREACHABLE = 3;
export const FRAGMENTATION_NEEDED = 4;

/** True for a request that opens a session. */
export const isIcmpRequest = (type: number): boolean =>
  type === ECHO || type === TIMESTAMP || type === INFORMATION_REQUEST || type === MASK_REQUEST;

/** The request type that a reply of this type answers, or -1. */
export const requestOfReply = (type: number): number =>
  type === ECHO_REPLY
    ? ECHO
    : type === TIMESTAMP_REPLY || type === INFORMATION_REPLY || type === MASK_REPLY
      ? type - 1
      : -1;

/** True for an error that passes if the packet it quotes belongs to a session. Source quench and redirect never do. */
export const isIcmpError = (type: number): boolean =>
  type === UNREACHABLE || type === TIME_EXCEEDED || type === PARAMETER_PROBLEM;
