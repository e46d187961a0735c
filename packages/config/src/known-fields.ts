import { configJsonSchema } from './config-schema.ts';
import type { Path } from './config-document.ts';

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, ObjectSchema>>;
  readonly additionalProperties?: ObjectSchema | false;
  readonly items?: ObjectSchema;
  readonly anyOf?: readonly ObjectSchema[];
}

/** The fields that an object of the configuration may have. */
export function knownFields(path: Path): string[] {
  let schema: ObjectSchema | undefined = configJsonSchema();
  for (const part of path) {
    schema =
      typeof part === 'number'
        ? schema?.items
        : (schema?.properties?.[String(part)] ?? (schema?.additionalProperties || undefined));
    schema = schema?.anyOf?.find(({ properties }) => properties !== undefined) ?? schema;
  }
  return Object.keys(schema?.properties ?? {});
}
