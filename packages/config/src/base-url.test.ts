import { expect, test } from 'vitest';
import { parseBaseUrl } from './base-url.ts';

test.each([
  ['openai', 'https://api.openai.com', 'https://api.openai.com/v1/'],
  ['openai', 'https://api.openai.com/v1', 'https://api.openai.com/v1/'],
  ['openai', 'https://api.openai.com/v1/', 'https://api.openai.com/v1/'],
  ['vllm', 'https://llm.example.com/team-a/v1//', 'https://llm.example.com/team-a/v1/'],
  ['anthropic', 'https://api.anthropic.com', 'https://api.anthropic.com/'],
  ['anthropic', 'https://api.anthropic.com/v1', 'https://api.anthropic.com/'],
  ['anthropic', 'https://proxy.example.com/anthropic/', 'https://proxy.example.com/anthropic/'],
] as const)('hangs the paths of %s at %s under %s', (type, text, href) => {
  expect(parseBaseUrl(text, type, false).href).toBe(href);
});

test.each([
  'http://127.0.0.1:8000',
  'https://127.0.0.1',
  'https://2130706433',
  'https://0x7f.1',
  'https://0177.0.0.1',
  'https://localhost',
  'https://api.localhost.',
  'https://[::1]',
  'https://[::ffff:127.0.0.1]',
  'https://[64:ff9b::10.0.0.1]',
  'https://10.1.2.3',
  'https://172.31.0.1',
  'https://192.168.1.1',
  'https://100.64.0.1',
  'https://[fd12::1]',
])('takes %s only from a provider with allow_private', (text) => {
  expect(() => parseBaseUrl(text, 'vllm', false)).toThrow('say allow_private: true');
  expect(parseBaseUrl(text, 'vllm', true)).toBeInstanceOf(URL);
});

test('takes plain http only from a provider with allow_private', () => {
  expect(() => parseBaseUrl('http://llm.example.com', 'vllm', false)).toThrow('must be https');
  expect(parseBaseUrl('http://llm.example.com', 'vllm', true).href).toBe('http://llm.example.com/v1/');
});

test.each([
  'http://169.254.169.254/latest',
  'http://2852039166',
  'http://0xa9fea9fe',
  'http://[::ffff:169.254.169.254]',
  'http://[64:ff9b::169.254.169.254]',
  'http://[fe80::1]',
  'http://[fd00:ec2::254]',
  'http://100.100.100.200',
  'http://168.63.129.16',
  'http://0.0.0.0:8000',
  'http://[::]',
  'http://224.0.0.1',
  'http://255.255.255.255',
  'http://metadata.google.internal./computeMetadata',
])('never takes %s', (text) => {
  expect(() => parseBaseUrl(text, 'vllm', true)).toThrow('must not be a link-local');
});

test.each([
  ['ftp://example.com', 'must be an address such as'],
  ['api.openai.com', 'must be an address such as'],
  ['https://', 'must be an address such as'],
  ['https://user:secret@example.com', 'must not hold a user or password'],
  ['https://example.com/v1?key=x', 'must not have a query'],
])('refuses %s', (text, message) => {
  expect(() => parseBaseUrl(text, 'openai', true)).toThrow(message);
});
