namespace FlashGen.Tool.Tune.Report;

/// <summary>How the page looks, by day and by night. It is text of XML, too: no signs that would be escaped there.</summary>
internal static class ReportStyle
{
    public const string Css = """

        :root {
          color-scheme: light dark;
          --page: #f9f9f7; --card: #ffffff; --ink: #0b0b0b; --soft: #52514e; --rule: #e1e0d9;
          --f3: #104281; --f2: #256abf; --f1: #9ec5f4; --s0: #e6e5df; --s1: #f6c4bf; --s2: #e58b83; --s3: #c93434; --s4: #8a1f1f;
          --on-f3: #ffffff; --on-f2: #ffffff; --on-f1: #0b0b0b; --on-s0: #0b0b0b; --on-s1: #0b0b0b; --on-s2: #0b0b0b; --on-s3: #ffffff; --on-s4: #ffffff;
          --long: #2a78d6; --short: #b8590f; --decode: #178a5f;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #0d0d0d; --card: #1a1a19; --ink: #ffffff; --soft: #c3c2b7; --rule: #383835;
            --f3: #b7d3f6; --f2: #5598e7; --f1: #184f95; --s0: #454541; --s1: #6b2323; --s2: #a83232; --s3: #e66767; --s4: #f6c4bf;
            --on-f3: #0b0b0b; --on-f2: #0b0b0b; --on-f1: #ffffff; --on-s0: #ffffff; --on-s1: #ffffff; --on-s2: #ffffff; --on-s3: #0b0b0b; --on-s4: #0b0b0b;
            --long: #5598e7; --short: #ec835a; --decode: #2fb98a;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
        main { max-width: 1250px; margin: 0 auto; padding: 28px 20px 60px; }
        h1 { font-size: 26px; margin: 0 0 4px; }
        h2 { font-size: 21px; margin: 44px 0 4px; overflow-wrap: anywhere; }
        h3 { font-size: 17px; margin: 22px 0 8px; }
        h4 { font-size: 15px; margin: 0 0 2px; }
        p { margin: 4px 0 10px; max-width: 80ch; }
        a { color: inherit; }
        .soft, figcaption { color: var(--soft); font-size: 13px; }
        code { font: 12.5px/1.45 ui-monospace, "SF Mono", Consolas, monospace; overflow-wrap: anywhere; }
        .wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; margin: 12px 0; }
        table { border-collapse: collapse; width: 100%; min-width: 840px; font-size: 13px; }
        td code { overflow-wrap: normal; }
        th, td { text-align: left; vertical-align: top; padding: 6px 10px; border-bottom: 1px solid var(--rule); }
        tr:last-child td { border-bottom: 0; }
        th { color: var(--soft); font-weight: 600; white-space: nowrap; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .reason { white-space: pre-wrap; overflow-wrap: anywhere; }
        .maps { display: flex; flex-wrap: wrap; gap: 14px; }
        /* As wide as its drawing; the texts below it break to that. */
        figure.map { width: min-content; min-width: min(100%, 354px); }
        figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 14px 16px; max-width: 100%; }
        figure.wall { width: fit-content; }
        figure .draw { overflow-x: auto; margin: 10px 0 4px; }
        dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 8px 0 0; font-size: 13px; }
        dt { color: var(--soft); }
        dd { margin: 0; }
        svg { display: block; }
        svg text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
        svg text.note { fill: var(--ink); }
        .cell.f3 { --fill: var(--f3); --on: var(--on-f3); }
        .cell.f2 { --fill: var(--f2); --on: var(--on-f2); }
        .cell.f1 { --fill: var(--f1); --on: var(--on-f1); }
        .cell.s0 { --fill: var(--s0); --on: var(--on-s0); }
        .cell.s1 { --fill: var(--s1); --on: var(--on-s1); }
        .cell.s2 { --fill: var(--s2); --on: var(--on-s2); }
        .cell.s3 { --fill: var(--s3); --on: var(--on-s3); }
        .cell.s4 { --fill: var(--s4); --on: var(--on-s4); }
        .cell rect { fill: var(--fill); }
        .cell text, .cell .default { fill: var(--on); }
        .cell.failed { --on: var(--ink); }
        .cell.failed rect { fill: none; stroke: var(--soft); stroke-dasharray: 3 3; }
        .cell.none rect { fill: none; stroke: var(--rule); }
        .cell.chosen rect { stroke: var(--ink); stroke-width: 3; }
        .legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; font-size: 13px; color: var(--soft); margin: 6px 0 12px; }
        .legend .step { padding: 1px 8px; border-radius: 3px; margin-right: -10px; }
        .legend .f3 { background: var(--f3); color: var(--on-f3); }
        .legend .f2 { background: var(--f2); color: var(--on-f2); }
        .legend .f1 { background: var(--f1); color: var(--on-f1); }
        .legend .s0 { background: var(--s0); color: var(--on-s0); }
        .legend .s1 { background: var(--s1); color: var(--on-s1); }
        .legend .s2 { background: var(--s2); color: var(--on-s2); }
        .legend .s3 { background: var(--s3); color: var(--on-s3); }
        .legend .s4 { background: var(--s4); color: var(--on-s4); margin-right: 0; }
        .legend .key { display: inline-flex; align-items: center; gap: 6px; }
        .legend .frame { width: 18px; height: 13px; border: 3px solid var(--ink); border-radius: 3px; }
        .legend .dot { width: 7px; height: 7px; border-radius: 50%; background: var(--ink); }
        .legend .cross { color: var(--ink); }
        .grid { stroke: var(--rule); stroke-width: 1; }
        .roof { stroke: var(--ink); stroke-width: 2; }
        .point { fill-opacity: 0.45; stroke-opacity: 0.9; stroke-width: 1; }
        .point.solid { fill-opacity: 1; }
        .point.long { fill: var(--long); stroke: var(--long); }
        .point.short { fill: var(--short); stroke: var(--short); }
        .point.decode { fill: var(--decode); stroke: var(--decode); }
        .point.chosen { fill-opacity: 1; stroke: var(--ink); stroke-width: 2; stroke-opacity: 1; }
        @media print { body { background: none; } figure, .wide { break-inside: avoid; } }

        """;
}
