/// The page as a Mustache template.
///
/// A section has a title and blocks. A block is a text, a table, a figure, code or a recording, and
/// becomes an element of that kind.
let reportTemplate = #"""
  <!DOCTYPE html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{{title}}</title>
  <style>
  {{{style}}}
  </style>
  </head>
  <body>
  <h1>{{title}}</h1>
  {{#origin}}<p class="origin">{{.}}</p>{{/origin}}
  <nav>{{#sections}}<a href="#{{id}}">{{title}}</a> {{/sections}}</nav>
  {{#sections}}
  <section id="{{id}}">
  <h2>{{title}}</h2>
  {{#blocks}}
  {{#fold}}<details><summary>{{.}}</summary>{{/fold}}
  {{#lead}}
  <p class="lead">{{.}}</p>
  {{/lead}}
  {{#text}}
  <p>{{.}}</p>
  {{/text}}
  {{#figure}}
  <figure style="max-width:{{width}}px"><div class="drawing broad" role="img" aria-label="{{caption}}">{{{wide}}}</div><div class="drawing slim" role="img" aria-label="{{caption}}">{{{narrow}}}</div><figcaption>{{caption}}</figcaption></figure>
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
  </table></div><p class="hint"></p>
  {{/table}}
  {{#sound}}
  <figure><audio controls preload="metadata" src="data:audio/wav;base64,{{{base64}}}"></audio><figcaption>{{caption}}</figcaption></figure>
  {{/sound}}
  {{#code}}
  <pre>{{.}}</pre>
  {{/code}}
  {{#fold}}</details>{{/fold}}
  {{/blocks}}
  </section>
  {{/sections}}
  <script>
  {{{script}}}
  </script>
  </body>
  </html>

  """#

/// The page's script: sorts tables, says where there is more to scroll to, and unfolds for print.
let reportScript = #"""
  // Clicking the head of a column sorts the rows by it: numbers first, by value; empty cells last.
  const number = /^[-−+]?[\d,]+(\.\d+)?(e[+-]?\d+)?( (±|to|\*).*)?$/;
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
        return number.test(text) ? parseFloat(text.replace(/,/g, "").replace("−", "-")) : text;
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
  const hint = () => {
    for (const box of document.querySelectorAll(".wide")) {
      const more = [
        box.scrollWidth > box.clientWidth ? "↔ scroll for more columns" : "",
        box.scrollHeight > box.clientHeight ? "↕ scroll for more rows" : "",
      ];
      box.nextElementSibling.textContent = more.filter(text => text).join("  ");
    }
  };
  addEventListener("load", hint);
  addEventListener("resize", hint);
  const folds = document.querySelectorAll("details");
  for (const fold of folds) fold.addEventListener("toggle", hint);
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...folds].filter(fold => !fold.open);
    for (const fold of folded) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of folded) fold.open = false; });
  """#
