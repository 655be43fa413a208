/// The page as a Mustache template.
///
/// A section has a title and blocks. A block is a text, a table, a figure or code, and becomes an
/// element of that kind.
let reportTemplate = #"""
  <!DOCTYPE html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{title}}</title>
  <style>
  body { font: 16px/1.5 sans-serif; color: #222; max-width: 72rem; margin: 0 auto; padding: 1rem; }
  h1 { font-size: 1.6rem; }
  h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
  nav a { margin-right: 1rem; white-space: nowrap; }
  .wide { overflow: auto; max-height: 40rem; margin: 1rem 0; }
  table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
  caption { text-align: left; color: #555; padding: .25rem 0; }
  th, td { padding: .2rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #eee; }
  th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
  thead th { position: sticky; top: 0; background: #f4f4f4; z-index: 1; }
  thead th:first-child { z-index: 2; background: #f4f4f4; }
  thead button { font: inherit; font-weight: bold; border: 0; background: none; padding: 0; cursor: pointer; }
  thead button::after { content: " ↕"; color: #999; }
  th[aria-sort=ascending] button::after { content: " ↑"; color: #222; }
  th[aria-sort=descending] button::after { content: " ↓"; color: #222; }
  .dense th, .dense td { padding: .1rem .25rem; font-size: .75rem; }
  figure { margin: 1rem 0; }
  figure div { overflow-x: auto; }
  figure img { width: 100%; min-width: 40rem; height: auto; display: block; }
  figcaption { color: #555; font-size: .9rem; }
  pre { overflow-x: auto; background: #f7f7f7; padding: 1rem; font-size: .85rem; }
  </style>
  </head>
  <body>
  <h1>{{title}}</h1>
  <nav>{{#sections}}<a href="#{{id}}">{{title}}</a> {{/sections}}</nav>
  {{#sections}}
  <section id="{{id}}">
  <h2>{{title}}</h2>
  {{#blocks}}
  {{#text}}
  <p>{{.}}</p>
  {{/text}}
  {{#figure}}
  <figure style="max-width:{{width}}px"><div><img alt="{{caption}}" src="data:image/svg+xml;base64,{{{base64}}}"></div><figcaption>{{caption}}</figcaption></figure>
  {{/figure}}
  {{#table}}
  <div class="wide"><table class="{{kind}}">
  <caption>{{caption}}</caption>
  <thead><tr>{{#head}}<th scope="col"><button type="button">{{.}}</button></th>{{/head}}</tr></thead>
  <tbody>
  {{#rows}}
  <tr>{{#cells}}<td{{#shade}} style="background:rgba(0,114,178,{{.}})"{{/shade}}>{{text}}</td>{{/cells}}</tr>
  {{/rows}}
  </tbody>
  </table></div>
  {{/table}}
  {{#code}}
  <pre>{{.}}</pre>
  {{/code}}
  {{/blocks}}
  </section>
  {{/sections}}
  <script>
  // Clicking the head of a column sorts the rows by it: numbers first, by value; empty cells last.
  const number = /^-?[\d,]+(\.\d+)?(e[+-]?\d+)?( (±|to|\*).*)?$/;
  for (const button of document.querySelectorAll("thead button")) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const column = [...head.parentElement.children].indexOf(head);
      const falling = head.getAttribute("aria-sort") !== "descending";
      for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const key = row => {
        const text = row.cells[column].textContent;
        return number.test(text) ? parseFloat(text.replace(/,/g, "")) : text;
      };
      const compare = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === "");
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        const order = typeof x === "number" ? x - y : x.localeCompare(y);
        return falling ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
    });
  }
  </script>
  </body>
  </html>

  """#
