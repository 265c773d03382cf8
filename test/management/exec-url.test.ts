import { describe, expect, test } from 'vitest';
import { readCommandUrl } from '../../src/management/exec-url.js';

describe('a command as a URL', () => {
  test.each([
    { path: '/level/15/exec/-', level: 15, line: '', isWhole: false },
    { path: '/level/1/exec/show/users/CR', level: 1, line: 'show users', isWhole: true },
    { path: '/level/15/exec/-/show/ip/inspect/all/CR', level: 15, line: 'show ip inspect all', isWhole: true },
    { path: '/exec/show/clock/CR', level: 15, line: 'show clock', isWhole: true },
    { path: '/exec', level: 15, line: '', isWhole: false },
    { path: '/exec/show/', level: 15, line: 'show', isWhole: false },
    { path: '/exec/-/show/interfaces/Ethernet2%2F0/CR', level: 15, line: 'show interfaces Ethernet2/0', isWhole: true },
    { path: '/level/7/exec/show//clock/CR', level: 7, line: 'show clock', isWhole: true },
  ])('$path', ({ path, ...want }) => expect(readCommandUrl(path, 'exec')).toMatchObject(want));

  test.each([
    { what: 'a level that there is not', path: '/level/16/exec/show/clock/CR' },
    { what: 'a line break', path: '/exec/show%0Aclock/CR' },
    { what: 'a NUL', path: '/exec/show%00/CR' },
    { what: 'a percent sign that is no code', path: '/exec/show%/CR' },
    { what: 'bytes that are no text', path: '/exec/show%ff/CR' },
    { what: 'another path', path: '/execute/show/clock/CR' },
    { what: 'a path above', path: '/level/15/../exec/show/CR' },
  ])('$what is none', ({ path }) => expect(readCommandUrl(path, 'exec')).toBeUndefined());

  test('its base is the path of what was understood, whatever was typed', () => {
    expect(readCommandUrl('/exec//show/a%2Fb/CR', 'exec')?.base).toBe('/level/15/exec/-/show/a%2Fb');
    expect(readCommandUrl('/exec/%3Cb%3E%22', 'exec')?.base).toBe('/level/15/exec/-/%3Cb%3E%22');
  });

  test('a long path costs no more time than it is long', () => {
    const began = performance.now();
    readCommandUrl(`/exec${'/-'.repeat(500_000)}`, 'exec');
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
