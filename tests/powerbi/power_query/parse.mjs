// Reads {"name": "query"} as JSON, writes {"name": null or what is wrong with it}.
import * as PowerQuery from "@microsoft/powerquery-parser";
import { readFileSync } from "node:fs";

const queries = JSON.parse(readFileSync(0, "utf-8"));
const found = {};
for (const [name, query] of Object.entries(queries)) {
  const task = await PowerQuery.TaskUtils.tryLexParse(PowerQuery.DefaultSettings, query);
  found[name] = task.resultKind === "Ok" ? null : task.error.message;
}
console.log(JSON.stringify(found));
