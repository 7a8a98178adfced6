/** Words of the background prose, in falling frequency. Nouns take a regular plural; verbs are in the past tense. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const NOUNS = words(`
  year work house account report record letter council member question matter order price trade office custom season
  visitor owner winter summer effort reason dispute result method habit street gate hall room door window table paper
  book page line note plan map survey list figure sum debt loan wage tax rent share claim right duty rule law court
  judge clerk witness case charge fine appeal vote meeting speech promise rumour story song picture mark sign name
  title rank post term visit journey road bridge path wall tower roof floor cellar yard garden field hill valley lake
  shore island forest storm flood drought harvest market shop stall cart wagon rope barrel basket lamp candle stove
  kettle bottle glass coin purse key lock chain bell clock tool hammer needle thread cloth coat hat boot glove blanket
  neighbour stranger guest servant farmer miller baker tailor merchant sailor soldier doctor teacher pupil painter
  singer printer builder mason carpenter gardener hunter fisher shepherd guard messenger widow orphan twin cousin
  accident quarrel bargain festival ceremony rehearsal lesson lecture exercise experiment measurement estimate mistake
  correction delay shortage surplus decline increase change improvement repair collapse discovery invention proposal
  objection complaint petition committee inquiry agreement treaty contract licence permit deposit inventory catalogue
`);

export const TOPICS: readonly (readonly string[])[] = [
  `vessel harbour pier cargo mast anchor sail deck hull tide lighthouse pilot ferry voyage captaincy quay buoy rudder`,
  `furnace ore ingot bellows slag anvil chimney foundryman casting mould rivet boiler piston valve crank flywheel`,
  `orchard seedling graft blossom pear cherry hive bee pruner frost cider press cellarman root branch trellis`,
  `manuscript binding ink folio margin scribe parchment typeface proof edition bookseller archive shelf reader preface`,
  `telescope comet eclipse observatory lens planet almanac horizon meridian astronomer quadrant sundial orbit nebula`,
  `loom shuttle wool spindle dye weaver fleece pattern ribbon tapestry carder bobbin fringe yarn spinner`,
  `glacier ridge summit avalanche crevasse guide shelter slope ascent boulder moraine sledge snowfield pass cairn`,
  `violin chorus overture organist melody rhythm quartet conductor score audience rehearsal bow flute harp tuning`,
  `canal towpath barge sluice aqueduct reservoir embankment dredger culvert lock-keeper tunnel wharf weir basin`,
  `locomotive platform signal timetable junction carriage viaduct stationmaster siding freight ticket coupling gauge`,
  `herb tincture remedy apothecary fever ward nurse infection vaccine surgeon bandage splint dose symptom clinic`,
  `excavation trench pottery shard burial coin-hoard temple mosaic inscription mound bead axe-head layer archaeologist`,
  `marsh heron reed otter warbler nest migration wetland beetle dragonfly frog pond botanist moss fern lichen`,
  `ballot candidate ward-meeting constituency mandate minister decree parliament coalition deputy pamphlet delegate`,
  `vineyard cask vintage cooper grape cellarage tasting slope-terrace harvester bottle-maker cork tavern brewer malt`,
  `granite quarry chisel slab arch column cornice facade scaffold plaster vault dome buttress mortar keystone`,
  `mirror prism pigment canvas easel fresco portrait sketch varnish sculptor exhibition gallery studio engraving`,
  `battery current dynamo cable telegraph relay circuit magnet insulator switch meter transformer lamp-post filament`,
  `cheese dairy churn pasture herd calf butter meadow barn milkmaid byre hedgerow stile plough furrow sickle`,
  `salt brine pan evaporation warehouse carter toll sack cellar-vault smuggler excise tariff ledger customs-house`,
  `chess tournament opening gambit opponent rook bishop clock-face champion club problem-setter analysis draw endgame`,
  `theatre stage costume rehearsal-room playwright actor curtain prompter scenery tragedy comedy applause balcony`,
  `fossil stratum limestone shale geologist cavern fault crystal mineral specimen borehole seam collier pit shaft`,
  `airship propeller hangar glider aviator parachute altitude wing-spar mooring ballast gondola windsock barometer`,
].map(words);

export const ADJECTIVES = words(`
  old new small large long local early late common public private former general careful heavy quiet narrow wooden
  broad deep steep cold dry wet bright dark plain simple modest costly cheap rare familiar strange distant nearby
  northern southern eastern western upper lower inner outer first final annual monthly regular sudden gradual steady
  slow quick brief ordinary unusual useful doubtful certain likely honest patient stubborn cautious generous severe
  gentle rough smooth thick thin hollow solid broken empty crowded busy idle silent noisy ancient modern rural urban
  coastal inland royal civic military legal medical technical practical formal informal official secret foreign native
  young elderly famous obscure wealthy poor skilled clumsy bitter sweet sour fresh stale ripe faded polished painted
  carved printed handwritten unfinished damaged restored neglected forgotten disputed celebrated expensive temporary
  permanent seasonal remote shallow muddy rocky sandy grassy windy foggy frozen flooded abandoned fortified prosperous
`);

export const TRANSITIVE = words(`
  saw took gave found kept held made used sold bought built opened closed moved changed followed reached crossed joined
  left carried brought sent received wrote read described mentioned recorded counted measured compared examined tested
  repaired replaced removed restored improved enlarged reduced divided shared protected guarded defended attacked
  damaged destroyed recovered discovered noticed ignored accepted refused approved rejected praised criticised admired
  feared expected promised demanded ordered allowed prevented delayed supported opposed encouraged persuaded advised
  warned informed invited welcomed accompanied employed dismissed paid owed borrowed lent collected stored packed
  loaded cleaned painted polished carved printed copied translated corrected published revised completed abandoned
  inherited rented taxed licensed inspected surveyed mapped planted watered harvested gathered stacked lifted lowered
`);

export const INTRANSITIVE = words(`
  remained arrived returned waited worked lived stood lay fell rose grew began ended stopped continued failed succeeded
  suffered improved declined vanished appeared disappeared wandered travelled settled rested slept argued agreed
  complained apologised hesitated laughed listened slipped leaked burned froze melted rotted rusted cracked collapsed
  flourished prospered closed reopened drifted sank floated echoed lingered retired
`);

export const ADVERBS = words(`
  often again soon later still already rarely slowly quietly carefully nearly quickly usually sometimes finally
  eventually partly mostly openly secretly firmly gladly reluctantly publicly privately patiently barely thoroughly
  gradually suddenly repeatedly separately jointly briefly formally locally
`);

export const PREPOSITIONS = words(`
  in near behind beside under above beyond across along after before during without against toward beneath around
`);

export const MONTHS = words(`
  January February March April May June July August September October November December
`);

export const NUMBERS = words(`
  two three four five six seven eight nine ten eleven twelve fourteen fifteen sixteen eighteen twenty thirty forty
`);

export const ORDINALS = words(`second third fourth fifth sixth seventh eighth ninth tenth`);
