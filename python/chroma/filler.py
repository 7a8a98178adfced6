"""The rest of the organisation: what a search has to tell from the answers in world.json. The same on every run."""

import random
from datetime import datetime, timedelta

SEED = 7
COMPONENTS = (
    ("flood-api", "station registry"),
    ("flood-api", "district portal"),
    ("flood-api", "ensemble reader"),
    ("flood-api", "status page"),
    ("flood-map", "postcode search"),
    ("flood-map", "bulletin printer"),
    ("flood-map", "photo gallery"),
    ("gauge-gateway", "log shipper"),
    ("gauge-gateway", "battery monitor"),
    ("gauge-gateway", "camera trigger"),
)
TOPICS = (
    ("Logging", "The {c} logs one line for each request, without addresses of people. Levels are info and error; debug lines are for laptops. Lines go to standard error and are kept for two weeks."),
    ("Access", "Operators reach the {c} through the gateway of the data centre with a hardware key. Nobody shares an account. A leaver's key is taken out on the last day."),
    ("Backups", "What the {c} holds is saved every night and brought back once a quarter on a spare machine, by somebody who did not write the procedure."),
    ("Releases", "The {c} is released on Tuesdays. A release has a number, a note in the changelog and a way back. Whoever releases stays within reach for two hours."),
    ("Load", "A flood brings fifty times the visitors of a dry day. The {c} is tried with recorded traffic of the last flood, twice as fast, before each winter."),
    ("Time zones", "The {c} stores moments in UTC and shows local time. Nights on which clocks change are in its tests, both of them."),
)
SHIPPED = (
    ("faster start", "The {c} starts in half the time, since it reads its settings once."),
    ("clearer errors", "Errors of the {c} say what was asked, what came back and what to do."),
    ("fewer dependencies", "The {c} lost eleven packages that nothing used."),
)
ASKED = (
    ("The tests of the {c} take four minutes. What takes so long?", "Most of it is one fixture that is built for every test. I build it once and copy it; the tests take fifty seconds."),
    ("Please rename the settings of the {c} as the handbook says.", "Done in nineteen files. The old names are read until the end of the year and say so once."),
    ("Can the {c} be started without the database?", "Now it can: it waits for it and says so on its health address."),
)
TOOLS = (
    ("Read", "src/{s}/index.ts", "export function start(settings: Settings): Promise<Server>", False),
    ("Grep", "TODO in src/{s}", "src/{s}/worker.ts:41 TODO name the unit", False),
    ("Bash", "npm test -- {s}", "31 passed", False),
    ("Bash", "npm run lint -- src/{s}", "src/{s}/worker.ts: 2 unused imports", True),
    ("Edit", "src/{s}/worker.ts", "1 replacement", False),
)
LONG_LOG_LINES = 400


def documents(rng: random.Random) -> list[dict]:
    made = []
    for repository, component in COMPONENTS:
        day = _day(rng, "2025-08-01", 280)
        sections = [{"heading": heading, "text": text.format(c=component)} for heading, text in rng.sample(TOPICS, 5)]
        made.append({
            "repository": repository,
            "path": f"docs/{component.title().replace(' ', '-')}.md",
            "title": f"Running the {component}",
            "kind": "guide",
            "status": "Published",
            "tags": [component, "operations"],
            "created": f"{day:%Y-%m-%d}",
            "modified": f"{day + timedelta(days=rng.randint(0, 30)):%Y-%m-%d}",
            "version": "0.1.0.0",
            "type": "Guide",
            "sections": sections,
        })
    return made


def changelog(rng: random.Random) -> list[dict]:
    made = []
    for repository, component in COMPONENTS:
        for name, text in SHIPPED:
            day = _day(rng, "2025-09-01", 280)
            made.append({
                "repository": repository,
                "path": f"changelog/{day:%Y-%m-%d}_{component.title().replace(' ', '-')}-{name.replace(' ', '-')}.md",
                "title": f"{component.capitalize()}: {name}",
                "date": f"{day:%Y-%m-%d}",
                "lede": text.format(c=component),
                "tags": [component],
                "authors": ["Platform team"],
                "text": text.format(c=component),
            })
    return made


def sessions(rng: random.Random) -> list[dict]:
    made = []
    for repository, component in COMPONENTS:
        start = _day(rng, "2025-10-01", 240) + timedelta(hours=rng.randint(8, 16))
        turns = []
        for question, answer in rng.sample(ASKED, len(ASKED)):
            turns.append({"role": "user", "text": question.format(c=component)})
            turns.append({"role": "assistant", "tools": "Read, Edit, Bash", "text": answer.format(c=component)})
        made.append({
            "id": f"{rng.getrandbits(128):032x}",
            "repository": repository,
            "branch": f"work/{component.replace(' ', '-')}",
            "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "turns": turns,
        })
    return made


def traces(rng: random.Random, of_sessions: list[dict]) -> list[dict]:
    made = []
    for session, (_, component) in zip(of_sessions, COMPONENTS):
        folder = component.replace(" ", "-")
        for at in range(12):
            tool, given, came, failed = rng.choice(TOOLS)
            made.append({
                "session": session["id"],
                "id": f"toolu_{rng.getrandbits(64):016x}",
                "tool": tool,
                "error": failed,
                "after": at,
                "input": given.format(s=folder),
                "output": came.format(s=folder),
            })
    made[-1]["output"] = "\n".join(f"ok {at} - camera frame {at} written after {at * 3 % 97} ms" for at in range(LONG_LOG_LINES))
    return made


def _day(rng: random.Random, first: str, days: int) -> datetime:
    return datetime.fromisoformat(first) + timedelta(days=rng.randrange(days))
