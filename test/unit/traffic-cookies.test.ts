import { expect, it } from 'vitest';
import { CookieJar } from '../../src/traffic/cookies.ts';

it('forgets a cookie whose Expires has passed, and keeps one whose Max-Age says otherwise', () => {
  const jar = new CookieJar();
  for (const name of ['a', 'b']) jar.store(`${name}=1`, '/');
  jar.store('a=; expires=Thu, 01 Jan 1970 00:00:00 GMT', '/');
  jar.store('b=2; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=60', '/');
  expect(jar.header('/')).toBe('b=2');
});

it('gives a cookie without a path the folder of the request', () => {
  const jar = new CookieJar();
  jar.store('a=1', '/shop/cart?x=/y');
  expect(jar.header('/shop/other')).toBe('a=1');
  expect(jar.header('/shop')).toBe('a=1');
  expect(jar.header('/')).toBeUndefined();
});

it('keeps cookies of one name and different paths apart', () => {
  const jar = new CookieJar();
  jar.store('a=root; path=/', '/');
  jar.store('a=shop; path=/shop', '/');
  jar.store('a=new; path=/', '/');
  expect(jar.header('/shop/x')).toBe('a=shop; a=new');
});

it('ignores what is no cookie', () => {
  const jar = new CookieJar();
  for (const text of ['', 'nonsense', '=value', '; path=/']) jar.store(text, '/');
  expect(jar.header('/')).toBeUndefined();
});
