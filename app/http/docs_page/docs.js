// Shows /openapi.json for people. Everything is set as text, so nothing in the document can become markup.

const METHODS = ["get", "put", "post", "delete", "patch"];

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function section(title, ...children) {
  return [element("h3", "", title), ...children];
}

function resolved(schema, all, seen = new Set()) {
  if (!schema || typeof schema !== "object") return schema;
  if (Array.isArray(schema)) return schema.map((each) => resolved(each, all, seen));
  const name = schema.$ref?.split("/").pop();
  if (name) return seen.has(name) ? name : resolved(all[name], all, new Set([...seen, name]));
  const entries = Object.entries(schema).filter(([key]) => key !== "title");
  return Object.fromEntries(entries.map(([key, value]) => [key, resolved(value, all, seen)]));
}

function content(described, all) {
  return Object.entries(described?.content ?? {}).map(([type, { schema }]) =>
    element("details", "", element("summary", "", type), element("pre", "", JSON.stringify(resolved(schema, all), null, 2))));
}

function answers(operation, all) {
  const list = element("dl");
  for (const [status, answer] of Object.entries(operation.responses)) {
    const shown = Number(status) < 400 ? content(answer, all) : [];
    list.append(element("dt", "", status), element("dd", "", answer.description, ...shown));
  }
  return list;
}

function parameters(operation) {
  const list = element("dl");
  for (const each of operation.parameters ?? []) {
    const kind = `${each.in}${each.required ? ", required" : ""}`;
    const text = each.description ?? JSON.stringify({ ...each.schema, title: undefined });
    list.append(element("dt", "", `${each.name} (${kind})`), element("dd", "", text));
  }
  return list;
}

function who(operation) {
  const roles = (operation.security ?? []).flatMap((each) => Object.values(each).flat());
  return roles.length ? `Bearer: ${roles.join(", ")}` : "任何人 anyone";
}

function shown(path, method, operation, all) {
  const body = element("div", "body", element("p", "", operation.description ?? ""),
    ...section("权限 Right", who(operation)), ...section("参数 Parameters", parameters(operation)));
  if (operation.requestBody) body.append(...section("内容 Body", ...content(operation.requestBody, all)));
  body.append(...section("结果 Answers", answers(operation, all)));
  const head = element("summary", "", element("span", "method", method), element("span", "path", path),
    element("span", "what", operation.summary ?? ""));
  const whole = element("details", "operation", head, body);
  whole.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  return whole;
}

function render(api) {
  const byTag = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((each) => each in item)) {
      const tag = item[method].tags?.[0] ?? "";
      byTag.set(tag, [...(byTag.get(tag) ?? []), shown(path, method, item[method], api.components.schemas)]);
    }
  }
  document.getElementById("about").textContent = api.info.description;
  document.getElementById("operations").replaceChildren(
    ...[...byTag].map(([tag, all]) => element("section", "", element("h2", "", tag), ...all)));
}

document.getElementById("filter").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const each of document.querySelectorAll(".operation")) each.hidden = !each.dataset.words.includes(wanted);
});

try {
  render(await (await fetch("/openapi.json")).json());
} catch {
  document.getElementById("operations").textContent = "无法加载 Could not load /openapi.json";
}
