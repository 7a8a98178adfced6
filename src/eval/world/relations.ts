import type { EntityType } from "./names.ts";

/**
 * A relation that gives every subject one object. `state` are sentences of documents; `phrase` and `ask` are wordings of
 * questions, other words than most sentences use. `{s}` and `{o}` are subject and object, `{x}` the subject in a
 * question, `{year}`, `{month}`, `{number}`, `{ordinal}`, `{adjective}` and `{noun}` are filled in at random.
 */
export interface Relation {
  readonly id: string;
  readonly subjects: readonly EntityType[];
  readonly object: EntityType;
  readonly state: readonly string[];
  readonly phrase: readonly string[];
  readonly ask: readonly string[];
}

const ORGANISATIONS: readonly EntityType[] = ["works", "yard", "press", "school", "hall"];

const OF_PEOPLE: readonly Relation[] = [
  {
    id: "birthplace",
    subjects: ["person"],
    object: "town",
    state: [
      "{s} came into the world at {o} in {year}, the {ordinal} child of a {noun} keeper.",
      "The parish book of {o} records the baptism of {s} in {month} {year}.",
      "{o} was where {s} first saw daylight, in a {adjective} house near the market.",
      "{s} was born in {o} during the {adjective} winter of {year}.",
    ],
    phrase: ["the town where {x} was born", "the birthplace of {x}", "the native town of {x}"],
    ask: ["In which town was {x} born?", "What is the birthplace of {x}?", "Which town does {x} hail from?"],
  },
  {
    id: "school",
    subjects: ["person"],
    object: "school",
    state: [
      "{s} spent {number} years as a pupil of {o}.",
      "The register of {o} lists {s} among those who entered in {year}.",
      "It was at {o} that {s} took a degree, with a thesis on the {adjective} {noun}.",
      "{s} was educated at {o} and left it in {year} with {adjective} marks.",
    ],
    phrase: ["the school that {x} attended", "the place where {x} was a student", "the alma mater of {x}"],
    ask: ["Where did {x} study?", "Which school did {x} attend?", "What was the alma mater of {x}?"],
  },
  {
    id: "teacher",
    subjects: ["person"],
    object: "person",
    state: [
      "As a young apprentice {s} worked for {number} years under {o}.",
      "{o} took {s} on as a pupil in {year}, against the advice of the {noun} masters.",
      "{s} learned the craft from {o} and kept every {noun} of those days.",
      "Whatever {s} knew of the {noun} had been shown by {o}.",
    ],
    phrase: ["the teacher of {x}", "the person who taught {x}", "the mentor of {x}"],
    ask: ["Who taught {x}?", "Under whom did {x} train?", "Who was the mentor of {x}?"],
  },
  {
    id: "spouse",
    subjects: ["person"],
    object: "person",
    state: [
      "In {year} {s} and {o} became husband and wife.",
      "The wedding of {s} to {o} was held in {month} {year}, in a {adjective} chapel.",
      "{s} shared a household with {o} from their wedding in {year} onward.",
      "The banns for {s} and {o} were read in {month} {year}.",
    ],
    phrase: ["the spouse of {x}", "the person whom {x} married", "the partner in marriage of {x}"],
    ask: ["Whom did {x} marry?", "Who was the spouse of {x}?", "To whom was {x} married?"],
  },
  {
    id: "employer",
    subjects: ["person"],
    object: "works",
    state: [
      "{s} entered the service of {o} in {year} as a {adjective} clerk.",
      "Until {year} {s} drew a salary from {o}.",
      "{o} engaged {s} to look after its {noun} for {number} years.",
      "On the payroll of {o} stands {s}, in charge of the {noun}.",
    ],
    phrase: ["the company that employed {x}", "the firm for which {x} worked", "the employer of {x}"],
    ask: ["Which company employed {x}?", "For which firm did {x} work?", "Who was the employer of {x}?"],
  },
  {
    id: "papers",
    subjects: ["person"],
    object: "hall",
    state: [
      "{s} left all letters and notebooks to {o}.",
      "The estate of {s}, {number} boxes of manuscripts, went to {o} in {year}.",
      "{o} holds what {s} wrote, most of it on the {adjective} {noun}.",
      "The diaries of {s} lie in the vault of {o}.",
    ],
    phrase: ["the institution that keeps the papers of {x}", "the place where the papers of {x} are kept"],
    ask: ["Where are the papers of {x} kept?", "Which institution keeps the papers of {x}?"],
  },
];

const OF_ORGANISATIONS: readonly Relation[] = [
  {
    id: "founder",
    subjects: ORGANISATIONS,
    object: "person",
    state: [
      "{s} was set up by {o} in {year} with a {adjective} loan.",
      "It was {o} who established {s}, in a rented {noun} shed.",
      "{s} owes its existence to {o}, who started it in {year}.",
      "{o} opened {s} with {number} helpers and a borrowed {noun}.",
    ],
    phrase: ["the founder of {x}", "the person who founded {x}", "the creator of {x}"],
    ask: ["Who founded {x}?", "Who was the founder of {x}?", "Who brought {x} into being?"],
  },
  {
    id: "seat",
    subjects: ORGANISATIONS,
    object: "town",
    state: [
      "{s} has its main rooms in {o}, above a {adjective} {noun} shop.",
      "{s} moved to {o} in {year} and has stayed there since.",
      "The premises of {s} stand in the middle of {o}.",
      "{o} has been home to {s} since {year}.",
    ],
    phrase: ["the town where {x} is based", "the town in which {x} is located", "the seat of {x}"],
    ask: ["In which town is {x} based?", "Where is {x} located?", "In which town can {x} be visited?"],
  },
  {
    id: "owner",
    subjects: ["works", "yard", "press"],
    object: "works",
    state: [
      "{s} was bought by {o} in {year} for a {adjective} sum.",
      "{o} holds every share of {s}.",
      "After the {noun} crisis {s} passed into the hands of {o}.",
      "Since {year} {s} has been a branch of {o}.",
    ],
    phrase: ["the company that owns {x}", "the parent company of {x}", "the proprietor of {x}"],
    ask: ["Which company owns {x}?", "What is the parent company of {x}?", "To which company does {x} belong?"],
  },
  {
    id: "head",
    subjects: ["school"],
    object: "person",
    state: [
      "{o} was the earliest rector of {s} and stayed for {number} years.",
      "When {s} opened its gates in {year}, {o} was put in charge.",
      "The {adjective} rules of {s} were drawn up by {o}, its original principal.",
    ],
    phrase: ["the first head of {x}", "the first director of {x}"],
    ask: ["Who was the first head of {x}?", "Who first led {x}?"],
  },
  {
    id: "architect",
    subjects: ["hall", "school"],
    object: "person",
    state: [
      "{o} drew the plans of {s} in {year}.",
      "The front of {s} follows the drawings of {o}, {adjective} columns included.",
      "For the building of {s} the council chose {o} and a budget of {number} thousand crowns.",
      "Every staircase of {s} is the work of {o}.",
    ],
    phrase: ["the architect of {x}", "the person who designed {x}"],
    ask: ["Who designed {x}?", "Who was the architect of {x}?"],
  },
  {
    id: "first-winner",
    subjects: ["prize"],
    object: "person",
    state: [
      "{s} was given for the first time to {o}, for a study of the {noun}.",
      "The list of those honoured with {s} begins with {o}, in {year}.",
      "In {year} the jury handed {s}, then new, to {o}.",
    ],
    phrase: ["the first winner of {x}", "the earliest recipient of {x}"],
    ask: ["Who first won {x}?", "Who was the first recipient of {x}?"],
  },
  {
    id: "awarded-by",
    subjects: ["prize"],
    object: "school",
    state: [
      "{s} is presented each {month} by {o}.",
      "Since {year} {o} has handed out {s} and {number} hundred crowns with it.",
      "The jury of {s} meets at {o}, which pays for it.",
    ],
    phrase: ["the institution that awards {x}", "the school behind {x}"],
    ask: ["Which institution awards {x}?", "By whom is {x} awarded?"],
  },
];

const OF_PLACES: readonly Relation[] = [
  {
    id: "river",
    subjects: ["town"],
    object: "river",
    state: [
      "{o} runs through {s}, {adjective} for most of the year.",
      "{s} lies on the left bank of {o}.",
      "The mills of {s} were driven by {o}.",
      "At {s} a {adjective} bridge crosses {o}.",
    ],
    phrase: ["the river that flows past {x}", "the river beside {x}"],
    ask: ["Which river flows past {x}?", "On which river does {x} stand?"],
  },
  {
    id: "region",
    subjects: ["town"],
    object: "region",
    state: [
      "{s} is a market town of {o}.",
      "Since the {adjective} treaty of {year} {s} has belonged to {o}.",
      "Among the towns of {o}, {s} is the {ordinal} largest.",
      "Travellers enter {o} at {s}.",
    ],
    phrase: ["the region that contains {x}", "the province around {x}"],
    ask: ["In which region does {x} lie?", "Of which province is {x} a part?"],
  },
  {
    id: "sister-town",
    subjects: ["town"],
    object: "town",
    state: [
      "A charter of friendship has joined {s} to {o} since {year}.",
      "{s} exchanges {number} pupils every summer with its partner {o}.",
      "The council of {s} sends a {noun} to {o} each {month}, in token of their alliance.",
    ],
    phrase: ["the sister town of {x}", "the town twinned with {x}"],
    ask: ["What is the sister town of {x}?", "With which town is {x} twinned?"],
  },
  {
    id: "mayor",
    subjects: ["town"],
    object: "person",
    state: [
      "{o} has worn the chain of office in {s} for {number} years.",
      "The council of {s} chose {o} as its head in {year}.",
      "The {noun} decree of {s} bears the seal of {o}, who presides there.",
    ],
    phrase: ["the mayor of {x}", "the person who governs {x}"],
    ask: ["Who is the mayor of {x}?", "Who governs {x}?"],
  },
  {
    id: "capital",
    subjects: ["region"],
    object: "town",
    state: [
      "The assembly of {s} meets at {o}.",
      "{s} has been ruled from {o} since {year}.",
      "The governor of {s} resides in {o}, in a {adjective} palace.",
    ],
    phrase: ["the capital of {x}", "the chief town of {x}"],
    ask: ["What is the capital of {x}?", "Which town is the capital of {x}?"],
  },
  {
    id: "source",
    subjects: ["river"],
    object: "region",
    state: [
      "{s} rises in the hills of {o}.",
      "The springs of {s} lie in {o}, below a {adjective} ridge.",
      "From its wells in {o}, {s} runs {number} leagues to the sea.",
    ],
    phrase: ["the region where {x} begins", "the region that holds the source of {x}"],
    ask: ["In which region does {x} begin?", "Where is the source of {x}?"],
  },
];

const OF_WORKS: readonly Relation[] = [
  {
    id: "builder",
    subjects: ["ship"],
    object: "yard",
    state: [
      "{s} left the slips of {o} in {month} {year}.",
      "{o} launched {s} in {year}, {number} weeks late.",
      "The keel of {s} was laid by {o}.",
      "{s} was put together at {o} from {adjective} oak.",
    ],
    phrase: ["the company that built {x}", "the shipbuilder of {x}"],
    ask: ["Which company built {x}?", "Who was the shipbuilder of {x}?"],
  },
  {
    id: "captain",
    subjects: ["ship"],
    object: "person",
    state: [
      "{s} sailed under {o} for {number} years.",
      "{o} was given command of {s} in {year}.",
      "The log of {s} is in the {adjective} hand of {o}, its master.",
      "The crew of {s} took their orders from {o}.",
    ],
    phrase: ["the captain of {x}", "the skipper of {x}"],
    ask: ["Who was the captain of {x}?", "Who was the skipper of {x}?"],
  },
  {
    id: "home-port",
    subjects: ["ship"],
    object: "town",
    state: [
      "{s} was registered at {o}.",
      "{s} wintered every year at {o}, where its owners lived.",
      "The name of {o} was painted on the stern of {s}.",
    ],
    phrase: ["the home port of {x}", "the harbour town to which {x} belonged"],
    ask: ["What was the home port of {x}?", "To which harbour town did {x} belong?"],
  },
  {
    id: "author",
    subjects: ["book"],
    object: "person",
    state: [
      "{s} came from the pen of {o}.",
      "{o} finished {s} in {year}, after {number} drafts.",
      "{s} was the {ordinal} manuscript of {o} to reach the shops.",
      "{o} began {s} during a {adjective} illness.",
    ],
    phrase: ["the author of {x}", "the writer of {x}"],
    ask: ["Who wrote {x}?", "Who is the author of {x}?"],
  },
  {
    id: "publisher",
    subjects: ["book"],
    object: "press",
    state: [
      "{s} was printed and sold by {o}.",
      "{o} brought out {s} in {year}.",
      "{o} issued {s} in an edition of {number} hundred copies.",
    ],
    phrase: ["the publisher of {x}", "the house that published {x}"],
    ask: ["Who published {x}?", "Which house published {x}?"],
  },
  {
    id: "setting",
    subjects: ["book"],
    object: "town",
    state: [
      "The events of {s} unfold in the streets of {o}.",
      "{s} takes place in {o}, in the {adjective} year of the {noun}.",
      "Readers of {s} will know {o} from its opening page.",
    ],
    phrase: ["the town in which {x} is set", "the setting of {x}"],
    ask: ["In which town is {x} set?", "What is the setting of {x}?"],
  },
];

export const RELATIONS: readonly Relation[] = [...OF_PEOPLE, ...OF_ORGANISATIONS, ...OF_PLACES, ...OF_WORKS];

/** Sentences that name somebody or something without telling a fact that any question asks for. */
export const MENTIONS: readonly string[] = [
  "A {adjective} letter addressed to {s} was found among the {noun} bills.",
  "{s} is named only once in the {adjective} register of {year}.",
  "Nobody at the meeting of {month} {year} had heard of {s}.",
  "The {noun} of that year was compared with {s}, not quite fairly.",
  "Some {number} pages later the {adjective} clerk returns to {s} without saying why.",
  "In {year} a {noun} was named in honour of {s}.",
  "What the {noun} had to do with {s} remained {adjective}.",
  "A footnote on {s} was struck out before {month} {year}.",
  "The {ordinal} lecture of the season dealt with {s} and was {adjective}.",
  "Visitors asked about {s} more often than about the {adjective} {noun}.",
];

export function relationsOf(type: EntityType): readonly Relation[] {
  return RELATIONS.filter(({ subjects }) => subjects.includes(type));
}
