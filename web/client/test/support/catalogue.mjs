// The published catalogue as a judge of what is really said.

import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2019.js";
import formats from "ajv-formats";

export const catalogue = JSON.parse(readFileSync(new URL("../../../asyncapi.json", import.meta.url)));

const ajv = formats(new Ajv({ allErrors: true, strict: false }));
for (const format of ["int32", "int64"]) ajv.addFormat(format, true);
ajv.addSchema(absolute(sealed({ $id: "catalogue", components: { schemas: catalogue.components.schemas } })));

const judges = new Map(
  Object.entries(catalogue.components.messages).map(([key, { payload }]) => [
    key,
    ajv.compile(absolute(sealed(payload))),
  ]),
);

/** Complaints about a message; none if it is as described, with no field more. */
export function complaints(key, value) {
  const judge = judges.get(key);
  if (!judge) return [`${key} is in no catalogue`];
  return judge(value) ? [] : judge.errors.map((error) => `${key}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
}

export const keyOf = (speaker, name) => `${speaker}.${name.replace(":", ".")}`;

/** Objects may have the fields that are described and no others. */
function sealed(schema, isPart = false) {
  if (Array.isArray(schema)) return schema.map((item) => sealed(item, isPart));
  if (schema === null || typeof schema !== "object") return schema;
  // A part is not sealed; what it is a part of is.
  if (isPart && schema.$ref) return sealed(catalogue.components.schemas[schema.$ref.split("/").at(-1)], true);
  const out = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" || key === "schemas") {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, property]) => [name, sealed(property)]));
    } else out[key] = sealed(value, key === "allOf");
  }
  const isObject = schema.type === "object" || schema.allOf;
  if (isObject && !isPart) out.unevaluatedProperties = false;
  return out;
}

function absolute(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"catalogue#/components'));
}
