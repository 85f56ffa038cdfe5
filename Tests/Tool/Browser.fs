/// A browser without a window, and what it draws of a report.
module FlashGen.Tests.Tool.Browser

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open FlashGen.Tests.Tool.Files

let chromium =
    match Environment.GetEnvironmentVariable "FLASHGEN_CHROMIUM" with
    | null
    | "" ->
        let folders = (Environment.GetEnvironmentVariable "PATH").Split Path.PathSeparator

        Seq.allPairs [ "chromium"; "chromium-browser"; "google-chrome" ] folders
        |> Seq.map (fun (name, folder) -> Path.Combine(folder, name))
        |> Seq.tryFind File.Exists
    | given -> Some given

/// Measures what was drawn: of each chart its box, and of its parts whether they can be seen and lie where they belong.
let private measuring =
    """
    const rgb = text => (text.match(/[\d.]+/g) || []).map(Number);
    const light = colour => {
        const [r, g, b] = rgb(colour).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [x, y] = [light(a), light(b)];
        return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    };
    const within = (inner, outer) =>
        inner.width > 0 && inner.height > 0
        && inner.left >= outer.left - 1 && inner.right <= outer.right + 1
        && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
    const card = getComputedStyle(document.querySelector('figure')).backgroundColor;
    const charts = [...document.querySelectorAll('svg.chart')].map(svg => {
        const box = svg.getBoundingClientRect();
        const cells = [...svg.querySelectorAll('.cell')].map(cell => {
            const rect = cell.querySelector('rect'), text = cell.querySelector('text');
            const fill = getComputedStyle(rect).fill;
            return {
                seen: within(rect.getBoundingClientRect(), box) && rect.getBoundingClientRect().width > 20,
                fill,
                chosen: cell.classList.contains('chosen') && parseFloat(getComputedStyle(rect).strokeWidth) >= 2,
                isDefault: cell.querySelector('.default') !== null,
                text: text ? text.textContent : '',
                fits: !text || within(text.getBoundingClientRect(), rect.getBoundingClientRect()),
                contrast: text ? contrast(getComputedStyle(text).fill, fill === 'none' ? card : fill) : 99
            };
        });
        const marks = [...svg.querySelectorAll('.point')];
        const level = [...svg.querySelectorAll('.roof')].map(line => line.getBoundingClientRect());
        return {
            kind: svg.classList.contains('heat') ? 'heat' : 'roofline',
            name: svg.querySelector('title').textContent,
            width: box.width, height: box.height, cells,
            clipped: svg.parentElement.scrollWidth - svg.parentElement.clientWidth,
            points: marks.filter(mark => within(mark.getBoundingClientRect(), box)
                && getComputedStyle(mark).fill !== getComputedStyle(svg).backgroundColor).length,
            chosen: marks.filter(mark => mark.classList.contains('chosen')).length,
            under: level.length === 0 || marks.every(mark =>
                mark.getBoundingClientRect().bottom > Math.min(...level.map(line => line.top))),
            roofs: level.filter(line => Math.max(line.width, line.height) > 20).length,
            outside: [...svg.querySelectorAll('text')].filter(text => !within(text.getBoundingClientRect(), box)).length
        };
    });
    document.documentElement.setAttribute('data-measured', JSON.stringify({
        charts,
        page: getComputedStyle(document.body).backgroundColor,
        ink: contrast(getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor),
        beyond: document.documentElement.scrollWidth - window.innerWidth
    }));
    """

/// Opens a page, by day or by night, and gives what the measuring found.
let opened (browser: string) (page: string) isDark =
    let mutable dom = ""

    inFolder (fun folder ->
        let path = Path.Combine(folder, "report.html")

        // The page forbids itself all scripts; the one that measures is ours.
        let measured =
            page
                .Replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
                .Replace("</body>", "<script>" + measuring + "</script></body>")

        File.WriteAllText(path, measured)

        let start =
            ProcessStartInfo(browser, RedirectStandardOutput = true, RedirectStandardError = true)

        [
            "--headless"
            "--no-sandbox"
            "--disable-gpu"
            "--disable-quic"
            "--no-first-run"
            "--disable-background-networking"
            "--disable-component-update"
            "--disable-sync"
            "--user-data-dir=" + Path.Combine(folder, "profile")
            "--window-size=1280,900"
            "--blink-settings=preferredColorScheme=" + (if isDark then "0" else "1")
            "--dump-dom"
            Uri(path).AbsoluteUri
        ]
        |> List.iter start.ArgumentList.Add

        use run = Process.Start start
        let output = run.StandardOutput.ReadToEndAsync()
        let error = run.StandardError.ReadToEndAsync()

        if not (run.WaitForExit 90000) then
            run.Kill true
            failtest "the browser came to no end in 90 s"

        dom <- output.Result
        Expect.equal run.ExitCode 0 error.Result)

    let found = Regex.Match(dom, "data-measured=\"([^\"]*)\"")
    Expect.isTrue found.Success "the page was opened and measured"

    (JsonDocument.Parse(Net.WebUtility.HtmlDecode found.Groups[1].Value)).RootElement
