import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HttpInspector } from '../../src/core/inspect/http.js';
import { StreamAction } from '../../src/core/inspect/inspector.js';
import { latin1 } from '../support/packets.js';

const CLASS = '\xca\xfe\xba\xbe\x00\x00\x004';
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/java-vm\r\n';

/** Feeds both streams, cut at `size` bytes. */
function dialogue(client: string, server: string, size = 1_000_000, friendly = false) {
  const seen = { requests: [] as string[], blocked: 0, action: StreamAction.pass as number };
  const h = new HttpInspector({
    friendly,
    request: (line) => seen.requests.push(line),
    javaBlocked: () => seen.blocked++,
  });
  const feed = (text: string, f: (b: Uint8Array, at: number, end: number) => number): void => {
    const b = latin1(text);
    for (let at = 0; at < b.length && seen.action === StreamAction.pass; at += size) {
      seen.action = f(b, at, Math.min(at + size, b.length));
    }
  };
  feed(client, (b, at, end) => h.fromInitiator(b, at, end));
  feed(server, (b, at, end) => h.fromResponder(b, at, end));
  return seen;
}

describe.each([1, 2, 3, 7, 1_000_000])('cut at %i bytes', (size) => {
  test.each([
    ['behind the header', `${OK}\r\n${CLASS}`],
    ['behind a header with bare LF', `HTTP/1.0 200 OK\nServer: x\n\n${CLASS}`],
    ['in the second response of a connection', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${OK}\r\n${CLASS}`],
    ['behind a length that lies', `${OK}Content-Length: 99999\r\n\r\nxx\r\n\r\n${OK}\r\n${CLASS}`],
    ['as a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n1F4;name=x\r\n${CLASS}`],
    ['without a header (HTTP/0.9)', CLASS],
    ['behind empty lines', `${OK}\r\n\r\n\r\n${CLASS}`],
  ])('a class file %s is blocked', (_, server) => {
    expect(dialogue('GET /A.class HTTP/1.1\r\n\r\n', server, size)).toMatchObject({
      blocked: 1,
      action: StreamAction.reset,
    });
  });

  test.each([
    ['a page', `${OK}\r\n<html>\xca\xfe\xba\xbe</html>`],
    ['an archive', `${OK}\r\nPK\x03\x04${CLASS}`],
    ['half a class file', `${OK}\r\n\xca\xfe\xba\xbf`],
    ['chunks of text', `${OK}\r\n5\r\nhello\r\n0\r\n\r\n`],
  ])('%s passes', (_, server) => {
    expect(dialogue('GET / HTTP/1.1\r\n\r\n', server, size)).toMatchObject({ blocked: 0, action: StreamAction.pass });
  });

  test('request lines are followed, headers and bodies are not', () => {
    const client =
      'GET /a?GET=1 HTTP/1.1\r\nHost: x\r\nReferer: GET /no HTTP/1.1\r\n\r\n' +
      'POST /b HTTP/1.1\r\nContent-Length: 8\r\n\r\nGET\x00/\r\n\r\n\r\nHEAD /c HTTP/1.0\r\n\r\n';
    expect(dialogue(client, '', size).requests).toEqual([
      'GET /a?GET=1 HTTP/1.1',
      'POST /b HTTP/1.1',
      'HEAD /c HTTP/1.0',
    ]);
  });
});

test('a friendly server is not looked at', () => {
  expect(dialogue('', `${OK}\r\n${CLASS}`, 100, true)).toMatchObject({ blocked: 0, action: StreamAction.opaque });
});

test('a long request line is cut, and costs no more memory', () => {
  const line = `GET /${'a'.repeat(5000)}`;
  expect(dialogue(`${line}\r\n\r\n`, '').requests).toEqual([line.slice(0, 256)]);
});

test('cuts change nothing about any stream', () => {
  const piece = fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\xca',
    '\xca\xfe',
    '\xba\xbe',
    CLASS,
    '1a',
    'x',
    OK,
    'GET / HTTP/1.1',
  );
  const text = fc.array(piece, { maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, fc.integer({ min: 1, max: 9 }), (client, server, size) => {
      expect(dialogue(client, server, size)).toEqual(dialogue(client, server));
    }),
  );
});
