/** Commands and options of telnet (RFC 854, 855, 857, 858), as both ends of a connection here have them. */
export const IAC = 255;
export const DONT = 254;
export const DO = 253;
export const WONT = 252;
export const WILL = 251;
export const SB = 250;
export const SE = 240;
export const ECHO = 1;
export const SUPPRESS_GO_AHEAD = 3;
