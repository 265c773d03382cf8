/**
 * What `debug` can tell, as plain data: the fields are copied, for an event outlives its packet and goes to another
 * process. Built only while the flag of its facility is on. `ios/debug` puts it into words.
 *
 * `sis` is the number of a session, `id` that of a connection which is expected (IOS: pre-generated).
 */
import type { EndpointCommand } from '../inspect/ftp/inspector.js';
import type { SmtpStep } from '../inspect/smtp/step.js';
import type { Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';

/** The header of a packet, with the offsets that tell how long its parts are. Each field as in `Packet`. */
export type PacketHeader = Pick<
  Packet,
  | 'token'
  | 'at'
  | 'l4'
  | 'payload'
  | 'end'
  | 'protocol'
  | 'src'
  | 'dst'
  | 'srcPort'
  | 'dstPort'
  | 'icmpType'
  | 'icmpCode'
  | 'flags'
  | 'seq'
  | 'ack'
  | 'window'
  | 'identification'
  | 'fragmentOffset'
  | 'moreFragments'
>;

export const headerOf = (p: Packet): PacketHeader => ({
  token: p.token,
  at: p.at,
  l4: p.l4,
  payload: p.payload,
  end: p.end,
  protocol: p.protocol,
  src: p.src,
  dst: p.dst,
  srcPort: p.srcPort,
  dstPort: p.dstPort,
  icmpType: p.icmpType,
  icmpCode: p.icmpCode,
  flags: p.flags,
  seq: p.seq,
  ack: p.ack,
  window: p.window,
  identification: p.identification,
  fragmentOffset: p.fragmentOffset,
  moreFragments: p.moreFragments,
});

/** Names of the interfaces that a packet goes by; `egress` is undefined where it is not known, or not looked for. */
export interface PacketPath {
  ingress: string;
  egress: string | undefined;
}

/** Address int32, and a port (of ICMP: a type). */
export interface DebugEnds {
  initiator: number;
  initiatorPort: number;
  responder: number;
  responderPort: number;
}

/** What the router knows of one end of a TCP session; sequence numbers int32. */
export interface TcpEnd {
  isn: number;
  rcvNxt: number;
  sndNxt: number;
  rcvWnd: number;
}

export interface TcpNumbers {
  /** `SIS_OPEN/ESTAB`. */
  state: string;
  initiator: TcpEnd;
  responder: TcpEnd;
}

/** Where a data connection is awaited: address int32, port. */
export interface DebugEndpoint {
  address: number;
  port: number;
}

/** By facility, which is a flag of `DebugFlags`. */
export type DebugEvent = { type: 'debug' } & (
  | { facility: 'packet'; packet: PacketHeader; path: PacketPath; verdict: Verdict; detail: boolean }
  /** A translated packet, as it is now; `src` and `dst` are its addresses before. */
  | { facility: 'nat'; packet: PacketHeader; src: number; dst: number }
  | { facility: 'smtp'; step: SmtpStep }
  | ({ facility: 'ftp'; sis: number } & FtpDetail)
  | ({ facility: 'http'; sis: number } & HttpDetail)
  | ({ facility: 'tcp' | 'udp' | 'icmp' } & PacketDetail)
  /** A new session; `seen`: its ends as NAT shows them to the other side. */
  | { facility: 'events'; what: 'session'; sis: number; own: DebugEnds; seen: DebugEnds }
  | { facility: 'events'; what: 'expected'; id: number; src: number; dst: number; dstPort: number }
  | { facility: 'objectCreation' | 'objectDeletion'; what: 'session'; sis: number }
  | { facility: 'objectCreation' | 'objectDeletion'; what: 'expected'; id: number }
  | { facility: 'timers'; what: 'session'; sis: number; did: 'created' | 'stopped' }
  | { facility: 'timers'; what: 'session'; sis: number; did: 'started'; ms: number }
  | { facility: 'timers'; what: 'expected'; id: number; did: 'started'; ms: number }
  | { facility: 'timers'; what: 'expected'; id: number; did: 'stopped' }
);

type PacketDetail =
  /** A packet of a session, in front of any check. `state`: with `detailed`, of a TCP session. */
  | { what: 'packet'; sis: number; packet: PacketHeader; fromInitiator: boolean; state: string | undefined }
  /** `detailed`: the search for its session. `found` is undefined where there is none. */
  | { what: 'lookup'; packet: PacketHeader; path: PacketPath; found: { sis: number; state: string } | undefined }
  /** `detailed`: what the session makes of it. */
  | { what: 'checked'; sis: number; packet: PacketHeader; service: string; verdict: Verdict }
  /** `detailed`: the state that a segment leaves behind. */
  | { what: 'forwarded'; sis: number; packet: PacketHeader; numbers: TcpNumbers }
  /** What the inspector of the application made of a segment with data. */
  | { what: 'inspected'; sis: number; service: string; verdict: Verdict };

type FtpDetail =
  /** A command or a reply, line end included; no password is in it. */
  | { what: 'line'; fromClient: boolean; line: string }
  /** A data connection is announced. `seen`: with `detailed`, as the other side reads it. */
  | { what: 'announced'; command: EndpointCommand; own: DebugEndpoint; seen: DebugEndpoint | undefined };

type HttpDetail =
  | { what: 'request'; line: string }
  /** `detailed`: may applets come from this server, and by which list. */
  | { what: 'site'; friendly: boolean; javaList: string | undefined }
  | { what: 'applet-blocked' };
