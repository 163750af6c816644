#!/usr/bin/env python3
"""Mutation testing with one build: tests/tools/mutants.py COPY [--count 100] [--seed 1]

Copies the checkout to COPY, a folder outside of it, draws mutants with the replacements of cargo-mutants (operators,
negations, bodies of functions) and writes them all into the copy, each beside the function that it changes; the
environment variable HIMIX_MUTANT chooses one. Mutants that do not compile are dropped and others take their place.
Then the tests run for each mutant until one fails. COPY/mutants.jsonl has the results; a second call tests again what
was not caught.
"""
import argparse, itertools, json, os, pathlib, random, re, subprocess, threading, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCOPE = ["data", "metrics", "text", "train", "infer", "engine", "app/undo.rs", "app/arrivals.rs", "app/apply.rs",
         "app/stages/arrivals.rs", "app/training/arrivals.rs", "app/comparison"]
SUITES = ["himix", "data", "engine", "inspection", "training", "networks", "training_tab", "stages_tab",
          "preferences", "viewer", "window", "cli"]
TOKEN = re.compile(r'''(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>b?r(\#*)".*?"\3|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])')
    |'\w+|(?P<number>\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?\w*)|(?P<word>\w+)
    |<<=|>>=|\.\.=|\.\.\.|->|=>|::|&&|\|\||[-+*/%^&|=!<>]=|<<|>>|\.\.|.''', re.S | re.X)
BINARY = {"==": "!=", "!=": "==", "&&": "||", "||": "&&", "<": "== > <=", ">": "== < >=", "<=": ">", ">=": "<",
          "+": "- *", "-": "+ /", "*": "+ /", "/": "% *", "%": "/ +", "<<": ">>", ">>": "<<", "&": "| ^", "|": "& ^",
          "^": "& |", "+=": "-= *=", "-=": "+= /=", "*=": "+= /=", "/=": "%= *=", "%=": "/= +=", "&=": "|=",
          "|=": "&=", "^=": "|= &=", "<<=": ">>=", ">>=": "<<="}
WRAPPED = {"Option": "Some({})", "Result": "Ok({})", "Vec": "vec![{}]", "Box": "Box::new({})", "Arc": "Arc::new({})"}
CHOICE = b"""
#[doc(hidden)]
pub fn __mutant(number: u32) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<u32>> =
        std::sync::LazyLock::new(|| std::env::var("HIMIX_MUTANT").ok()?.parse().ok());
    *CHOSEN == Some(number)
}
"""


def arguments(text):
    """The parts of a list of types, split at the outer commas."""
    parts, depth = "", 0
    for token in re.findall(r"->|.", text, re.S):
        depth += (token in "<([") - (token in ">)]")
        parts += "\0" if token == "," and not depth else token
    return [part.strip() for part in parts.split("\0") if part.strip()]


def values(kind):
    """What a function that returns `kind` may return instead."""
    kind = kind.strip()
    inner = re.fullmatch(r"(?:\w+::)*(\w+)\s*<(.*)>", kind, re.S)
    name, inside = (inner[1], arguments(inner[2])) if inner else (kind, [])
    if kind == "bool":
        return ["true", "false"]
    if re.fullmatch(r"[ui](8|16|32|64|128|size)", kind):
        return ["0", "1"] + ["-1"] * (kind[0] == "i")
    if kind in ("f32", "f64"):
        return ["0.0", "1.0", "-1.0"]
    if kind == "String":
        return ["String::new()", '"xyzzy".into()']
    if re.fullmatch(r"&('\w+ )?str", kind):
        return ['""', '"xyzzy"']
    if name in WRAPPED and inside and not inside[0].startswith("dyn"):
        empty = {"Option": ["None"], "Vec": ["vec![]"]}.get(name, [])
        return empty + [WRAPPED[name].format(value) for value in values(inside[0])]
    if kind.startswith("(") and kind != "()":
        return [f"({', '.join(each)})" for each in itertools.product(*map(values, arguments(kind[1:-1])))]
    if array := re.fullmatch(r"\[(.*);(.*)\]", kind, re.S):
        return [f"[{value}; {array[2].strip()}]" for value in values(array[1])]
    if part := re.fullmatch(r"&(?:'\w+ )?(?:mut )?(\[)?(.*?)\]?", kind, re.S):
        if part[1]:
            return ["Vec::leak(vec![])"] + [f"Vec::leak(vec![{value}])" for value in values(part[2])]
        return [f"Box::leak(Box::new({value}))" for value in values(part[2])]
    return [] if kind == "!" or "impl " in kind else ["()"] if kind == "()" else ["Default::default()"]


def candidates(path):
    """Every mutant of a file: (path, start and end of the outermost function's body, start, end, replacement)."""
    source = path.read_text()
    found = [match for match in TOKEN.finditer(source) if match.lastgroup != "skip"]
    tokens = [match[0] for match in found]
    pair, stack = {}, []
    for at, token in enumerate(tokens):
        stack += [at] if token in "([{" else []
        if token in ")]}":
            pair[stack.pop()] = at
    mutants, outer, at = [], None, 0
    while at < len(tokens):
        token, before = tokens[at], tokens[at - 1] if at else ""
        after = tokens[at + 1] if at + 1 < len(tokens) else ""
        outer = None if outer and at >= outer[1] else outer
        if tokens[at:at + 7] == list("#[") + ["cfg", "(", "test", ")", "]"]:  # of a test alone: to its end
            at += 7
            while tokens[at] not in "{;":
                at = pair.get(at, at) + 1
            at = pair.get(at, at) + 1
        elif token == "#" and after in "[!":
            at = pair[tokens.index("[", at)] + 1
        elif token == "macro_rules" or after == "!" and (
                found[at].lastgroup == "word" and found[at].end() == found[at + 1].start()):
            at = pair[next(place for place in range(at, len(tokens)) if tokens[place] in "([{")] + 1
        elif token == "fn" and found[at + 1].lastgroup == "word":
            place, depth = at + 2, 0
            while depth or tokens[place] != "(":
                depth += {"<": 1, ">": -1, ">>": -2}.get(tokens[place], 0)
                place += 1
            place = arrow = pair[place] + 1
            while tokens[place] not in ("{", ";", "where"):
                place = pair.get(place, place) + 1
            kind = source[found[arrow].end():found[place].start()].strip() if tokens[arrow] == "->" else "()"
            while tokens[place] not in "{;":
                place = pair.get(place, place) + 1
            end = pair.get(place, place)
            if tokens[place] == "{" and (after in ("fmt", "default") or before == "const" or "impl " in kind):
                place = end
            elif tokens[place] == "{":
                body = (found[place].end(), found[end].start())
                outer = outer or (body, end)
                old = " ".join(tokens[place + 1:end])
                mutants += [(path, outer[0], *body, f" {value} ") for value in values(kind)
                            if old and old != value.replace("()", "( )").replace("::", " :: ")]
            at = place + 1
        else:
            start, end = found[at].span()
            spaced = source[start - 1].isspace() and source[end:end + 1].isspace()
            if outer and token in BINARY and spaced and before not in ("(", ",", "=", "=>", "return", "{", "|", "||"):
                mutants += [(path, outer[0], start, end, new) for new in BINARY[token].split()]
            elif outer and token in "!-" and not source[end].isspace() and re.match(r"[^\w)\]?]", source[start - 1]):
                mutants.append((path, outer[0], start, end, ""))
            at += 1
    return mutants


def put(path, data):
    """Writes a file that is not there yet or differs, or cargo would build for nothing."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def write(copy, files, mutants):
    """Writes the mutants, a dictionary by number, into the copy; gives the lines that each takes there."""
    lines = {}
    for path in files:
        source, text, done = path.read_text(), "", 0
        of_file = sorted((item for item in mutants.items() if item[1][0] == path), key=lambda item: item[1][1])
        for (start, end), of_body in itertools.groupby(of_file, lambda item: item[1][1]):
            text += source[done:start]
            for number, (_, _, first, last, new) in of_body:
                text += f" if crate::__mutant({number}) {{\n"
                top = text.count("\n") + 1
                text += source[start:first] + new + source[last:end]
                lines[number] = (str(path.relative_to(ROOT)), top, text.count("\n") + 1)
                text += "\n} else "
            text, done = text + "{" + source[start:end] + "}", end
        put(copy / path.relative_to(ROOT), (text + source[done:]).encode())
    return lines


def cargo(copy, *options):
    """Builds; gives the messages of cargo, one dictionary each."""
    run = subprocess.run(["cargo", *options, "--release", "--locked", "--message-format=json"], cwd=copy,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def test(copy, binary, number, limit):
    """Why the tests of a binary fail with this mutant, or None."""
    child = subprocess.Popen([binary], cwd=copy, env=os.environ | {"HIMIX_MUTANT": str(number)}, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    late = threading.Timer(limit, os.killpg, (child.pid, 9))
    late.start()
    with child:
        for line in child.stdout:
            if failed := re.match(r"test (\S+) .*FAILED$", line):
                os.killpg(child.pid, 9)
                late.cancel()
                return failed[1]
    is_late = not late.is_alive()
    late.cancel()
    return "the time limit" if is_late else "a crash" if child.returncode else None


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("copy", type=pathlib.Path)
    for name, default in [("--count", 100), ("--seed", 1)]:
        options.add_argument(name, type=int, default=default)
    options = options.parse_args()
    copy = options.copy.resolve()
    files = [file for part in SCOPE for file in sorted((ROOT / "src" / part).rglob("*.rs")) or [ROOT / "src" / part]]
    drawn = [mutant for file in files if file.name != "tests.rs" for mutant in candidates(file)]
    print(len(drawn), "candidates")
    random.Random(options.seed).shuffle(drawn)
    drawn = dict(enumerate(drawn, 1))
    for file in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines():
        if ROOT / file not in files:
            data = (ROOT / file).read_bytes()
            put(copy / file, data + CHOICE if file == "src/lib.rs" else data)
    broken, errors = set(), True
    while errors:
        kept = dict([item for item in drawn.items() if item[0] not in broken][:options.count])
        lines = write(copy, files, kept)
        errors = [message["message"] for message in cargo(copy, "build", "--lib")
                  if message["reason"] == "compiler-message" and message["message"]["level"] == "error"]
        spans = [(span["file_name"], span["line_start"]) for error in errors for span in error["spans"]]
        bad = {number for number, (file, top, end) in lines.items()
               if any(name == file and top <= line <= end for name, line in spans)}
        assert bad or not errors, errors
        broken |= bad
        print(len(broken), "do not compile", flush=True)
    wanted = ["--lib", *(f"--test={suite}" for suite in SUITES[1:])]
    built = {message["target"]["name"]: message["executable"] for message in cargo(copy, "test", "--no-run", *wanted)
             if message.get("executable") and message["profile"]["test"]}
    limits = {}
    for suite in SUITES:
        start = time.time()
        failed = test(copy, built[suite], 0, 900)
        assert not failed, (suite, failed)
        limits[suite] = 10 + 4 * (time.time() - start)
        print(suite, round(time.time() - start, 1), flush=True)
    results = copy / "mutants.jsonl"
    rows = map(json.loads, results.read_text().splitlines() if results.exists() else [])
    known = {row["mutant"] for row in rows if row["caught"]}
    for number, (path, body, start, end, new) in kept.items():
        if number in known:
            continue
        tried = ((suite, test(copy, built[suite], number, limits[suite])) for suite in SUITES)
        caught = next((f"{suite}: {failed}" for suite, failed in tried if failed), None)
        source, file = path.read_text(), str(path.relative_to(ROOT))
        line, old = source[:start].count("\n") + 1, source[start:end]
        row = {"mutant": number, "file": file, "line": line, "old": old, "new": new, "caught": caught}
        with results.open("a") as out:
            out.write(json.dumps(row) + "\n")
        print(f"{number} {file}:{line}", caught or "SURVIVES", flush=True)


if __name__ == "__main__":
    main()
