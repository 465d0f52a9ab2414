import type { BodyCheck, PartDifference } from './compare-body.ts';

/** What was learned of one place in a JSON body from all the values seen there. */
type Template =
  | { kind: 'same'; type: string; json: string }
  | { kind: 'any'; types: Set<string> }
  | ObjectTemplate
  | ListTemplate;

interface ObjectTemplate {
  kind: 'object';
  type: 'object';
  members: Map<string, { template: Template; required: boolean }>;
}

type ListTemplate =
  | { kind: 'list'; type: 'list'; items: Template[] }
  | { kind: 'growing list'; type: 'list'; item: Template };

/**
 * The check that what was the same in all of several JSON values is the same in another. Of `pairs`, each of which answers
 * the same, what differs may differ here.
 */
export function jsonCheck(samples: unknown[], pairs: [unknown, unknown][] = []): BodyCheck {
  const template = templateOf(samples);
  const loose = new LoosePlaces();
  loose.collect(template, '$');
  for (const pair of pairs) loose.collect(templateOf(pair), '$');
  return (body) => {
    const comparison = new Comparison(loose);
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(body));
    } catch {
      return [{ at: '', expected: 'JSON', actual: new TextDecoder().decode(body.subarray(0, 500)) || 'nothing' }];
    }
    comparison.value(template, value, '$', '$');
    return comparison.differences;
  };
}

function templateOf(values: unknown[]): Template {
  const types = new Set(values.map(typeOf));
  if (types.size !== 1) return { kind: 'any', types };
  const [type] = types;
  if (type === 'object') return objectTemplate(values as Record<string, unknown>[]);
  if (type === 'list') return listTemplate(values as unknown[][]);
  const texts = new Set(values.map((value) => JSON.stringify(value)));
  // One sighting tells a value's type, not that it stays.
  return texts.size === 1 && values.length > 1
    ? { kind: 'same', type: type!, json: [...texts][0]! }
    : { kind: 'any', types };
}

function objectTemplate(objects: Record<string, unknown>[]): ObjectTemplate {
  const valuesOf = new Map<string, unknown[]>();
  for (const object of objects) {
    for (const [key, value] of Object.entries(object)) {
      const values = valuesOf.get(key);
      if (values) values.push(value);
      else valuesOf.set(key, [value]);
    }
  }
  const members = Array.from(
    valuesOf,
    ([key, values]) => [key, { template: templateOf(values), required: values.length === objects.length }] as const,
  );
  return { kind: 'object', type: 'object', members: new Map(members) };
}

function listTemplate(lists: unknown[][]): ListTemplate {
  const length = lists[0]!.length;
  if (lists.every((list) => list.length === length)) {
    const items = Array.from({ length }, (_, index) => templateOf(lists.map((list) => list[index])));
    return { kind: 'list', type: 'list', items };
  }
  return { kind: 'growing list', type: 'list', item: templateOf(lists.flat()) };
}

/**
 * Places that were seen to vary, with all elements of a list taken as one place (`$.items[*].id`). Two samples may be
 * equal by chance; where the same field of a neighbour varied, equality of this one means nothing.
 */
class LoosePlaces {
  readonly #types = new Map<string, Set<string>>();
  readonly #lists = new Set<string>();
  readonly #objects = new Set<string>();
  readonly #optional = new Set<string>();

  collect(template: Template, place: string): void {
    if (template.kind === 'any') {
      this.#types.set(place, new Set([...(this.#types.get(place) ?? []), ...template.types]));
    } else if (template.kind === 'object') {
      for (const [key, { template: member, required }] of template.members) {
        this.collect(member, placeOf(place, key));
        if (required) continue;
        this.#objects.add(place);
        this.#optional.add(placeOf(place, key));
      }
    } else if (template.kind === 'growing list') {
      this.#lists.add(place);
      this.collect(template.item, `${place}[*]`);
    } else if (template.kind === 'list') {
      for (const item of template.items) this.collect(item, `${place}[*]`);
    }
  }

  allowsType(place: string, type: string): boolean {
    return this.#types.get(place)?.has(type) ?? false;
  }

  allowsAnyLength(place: string): boolean {
    return this.#lists.has(place);
  }

  allowsNewMembers(place: string): boolean {
    return this.#objects.has(place);
  }

  allowsAbsence(place: string): boolean {
    return this.#optional.has(place);
  }
}

/** One value held against a template; `path` names a place as it is shown, `place` leaves indexes out. */
class Comparison {
  readonly differences: PartDifference[] = [];
  readonly #loose: LoosePlaces;

  constructor(loose: LoosePlaces) {
    this.#loose = loose;
  }

  value(template: Template, value: unknown, path: string, place: string): void {
    const type = typeOf(value);
    const isLeaf = template.kind === 'any' || template.kind === 'same';
    if (this.#loose.allowsType(place, type) && (isLeaf || template.type !== type)) return;
    if (template.kind === 'any' || template.type !== type) this.#differ(path, describe(template), value);
    else if (template.kind === 'object') this.#members(template, value as Record<string, unknown>, path, place);
    else if (template.kind !== 'same') this.#items(template, value as unknown[], path, place);
    else if (JSON.stringify(value) !== template.json) this.#differ(path, template.json, value);
  }

  #items(template: ListTemplate, items: unknown[], path: string, place: string): void {
    if (template.kind === 'list' && !this.#loose.allowsAnyLength(place) && template.items.length !== items.length) {
      const lengths = [template.items.length, items.length].map((length) => `a list of ${length}`) as [string, string];
      this.differences.push({ at: path, expected: lengths[0], actual: lengths[1] });
      return;
    }
    for (const [index, item] of items.entries()) {
      const itemTemplate = template.kind === 'list' ? template.items[index] : template.item;
      if (itemTemplate) this.value(itemTemplate, item, `${path}[${index}]`, `${place}[*]`);
    }
  }

  #members({ members }: ObjectTemplate, object: Record<string, unknown>, path: string, place: string): void {
    for (const [key, { template, required }] of members) {
      const at = placeOf(path, key);
      const memberPlace = placeOf(place, key);
      if (Object.hasOwn(object, key)) this.value(template, object[key], at, memberPlace);
      else if (required && !this.#loose.allowsAbsence(memberPlace)) this.#differ(at, describe(template), undefined);
    }
    if (this.#loose.allowsNewMembers(place)) return;
    for (const [key, value] of Object.entries(object)) {
      if (!members.has(key)) this.#differ(placeOf(path, key), 'nothing', value);
    }
  }

  #differ(at: string, expected: string, value: unknown): void {
    this.differences.push({ at, expected, actual: value === undefined ? 'missing' : JSON.stringify(value) });
  }
}

/** The place of a member of the object at `path`: `$.name`, or `$["a name"]`. */
export function placeOf(path: string, key: string): string {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

function describe(template: Template): string {
  if (template.kind === 'same') return template.json;
  return template.kind === 'any' ? [...template.types].join(' or ') : template.type;
}
