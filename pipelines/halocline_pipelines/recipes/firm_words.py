"""The generated firm's lexicon. Every person, company and project in it is fictional."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIRST_NAMES = (
    "Ailsa Anselm Björn Beatriz Cormac Chidi Delphine Dariusz Eilidh Émile Farida Fenwick Greta"
    " Günther Hana Hollis Ines Ivo Jocasta Joaquín Katya Keziah Lennart Lowri Maarten Mireille"
    " Nadia Niamh Odalys Oskar Priya Pelle Quentin Rosalind Renée Sunniva Søren Tamsin Thibault"
    " Ulrika Umberto Verity Viggo Wanda Wilhelmina Xanthe Yusuf Zofia"
).split()

LAST_NAMES = (
    "Abernathy Alcott Ashdown Bellweather Brandvold Castellane Coldbrook Dalgaard Drummond"
    " Eastlake Ekström Fairbairn Fontaine Garrick Grünwald Hallorann Hawthorne Ingleby Järvinen"
    " Kettleby Kowalczyk Lindqvist Lorimer MacAllister Marchetti Nightingale Novák Oakhurst"
    " Ostrander Pemberton Pryce Quillfeather Ravenscroft Rosenthal Sandoval Silverstone Thackeray"
    " Tremaine Underhill Vandermeer Varga Whitcombe Winterbourne Yarrow Zielinski"
).split()

LISTED = (
    "Aldermoor Mills|Borealis Freight|Caldwell Optics|Dunmere Foods|Eastmarch Rail|Fairhaven Glass"
    "|Greywater Energy|Hartfell Dairies|Ironbridge Tooling|Jasperline Media|Kingsholt Paper"
    "|Larkspur Retail|Meridian Ceramics|Northgate Cables|Oxmoor Pumps|Pinecrest Hotels"
    "|Quayside Shipping|Redfern Textiles|Stonebeck Homes|Tidewell Water|Umberline Paints"
    "|Valebrook Seeds|Westerly Airports|Yewdale Timber"
).split("|")

# Issuers on the restricted list: their ids, and the names the firm calls them by.
RESTRICTED = MappingProxyType(
    {
        "brightwater": "Brightwater Biologics",
        "corvane": "Corvane Aerospace",
        "dellmont": "Dellmont Grid",
        "halvorsen": "Halvorsen Marine",
        "tessaly": "Tessaly Semiconductors",
    }
)

CUSTOMERS = MappingProxyType({"acme": "Acme Logistics", "globex": "Globex Freight"})

PROJECTS = "Halyard Windlass Capstan Bowsprit Mizzen Fairlead Gunwale Topsail".split()

SLOTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(text.split("|"))
        for name, text in {
            "month": "January|February|March|April|May|June|July|August|September|October"
            "|November|December",
            "quarter": "first quarter|second quarter|third quarter|fourth quarter|first half"
            "|second half",
            "region": "northern Europe|the Baltic ports|the Midlands|southern Germany|Iberia"
            "|the Great Lakes|the Pacific coast|central France|the Nordic countries|eastern Canada"
            "|the Gulf states|the Low Countries",
            "percent": "two percent|three percent|four percent|six percent|seven percent"
            "|nine percent|eleven percent|thirteen percent|a fifth|nearly a third|about a tenth",
            "direction": "rose|fell|slipped|climbed|edged higher|drifted lower|held steady|recovered",
            "moved": "improved|weakened|stayed flat|recovered|worsened|risen|fallen",
            "metric": "organic growth|gross margin|free cash flow|net debt|order intake"
            "|working capital|capacity utilisation|unit cost|customer retention|average price"
            "|backlog|return on capital",
            "driver": "better pricing|a milder winter|lower energy costs|the new depot"
            "|delayed shipments|a weaker currency|longer contracts|two large tenders"
            "|a change of supplier|higher freight rates|the spring promotion|fewer returns",
            "risk": "a slower housing market|the pending labour agreement|one customer's concentration"
            "|rising insurance costs|an aggressive competitor|a late regulatory review"
            "|the refinancing next year|raw material inflation|a crowded peer group"
            "|integration of the acquired plants",
            "source": "the management call|our site visit|the supplier survey|the annual report"
            "|conversations with three distributors|the trade statistics|the analyst day"
            "|the latest tender results|channel checks across the region",
            "view": "cautious|constructive|patient|sceptical|encouraged|unconvinced|comfortable",
            "action": "add to|trim|keep|build up slowly|hedge part of|leave unchanged|halve",
            "horizon": "twelve months|eighteen months|two years|the next three quarters"
            "|a full cycle|the coming season",
            "valuation": "nine times forward earnings|a discount to its own history"
            "|a modest premium to peers|replacement cost|eleven times cash flow"
            "|well below the sum of its parts|the middle of its range",
            "bank_role": "sole adviser|joint bookrunner|lead arranger|financial adviser"
            "|co-manager|structuring agent",
            "deal": "a sale of the marine division|a rights issue|a carve-out of the service arm"
            "|a bridge facility|a private placement|a public offer|a merger of equals"
            "|a minority investment|a refinancing of the term loan|a listing of the subsidiary",
            "buyer": "two trade buyers|an infrastructure fund|a family office|a strategic partner"
            "|three sponsors|a pension consortium|the founder's vehicle",
            "diligence": "the environmental report|the tax structure|the customer contracts"
            "|the pension deficit|the order book|the data room|the quality of earnings report"
            "|the licence portfolio|the litigation schedule|the lease register",
            "step": "sign the engagement letter|open the data room|circulate the teaser"
            "|collect first round bids|settle the exclusivity terms|brief the board"
            "|agree the price mechanism|launch the syndication|file the draft prospectus",
            "committee": "the commitment committee|the fairness committee|the deal team"
            "|the board of directors|the risk desk|outside counsel|the syndicate desk",
            "product": "the routing console|the depot scanner|the invoice export|the tracking portal"
            "|the customs module|the driver app|the yard planner|the rate engine"
            "|the reporting service|the pallet ledger",
            "symptom": "stopped responding|showed yesterday's figures|rejected valid entries"
            "|returned an empty page|doubled several lines|lost the last update|ran very slowly"
            "|printed labels in the wrong order|asked for a password at every step",
            "cause": "an expired certificate|a full disk on the second node|a clock that had drifted"
            "|a missing index|a change in the carrier's file format|two jobs that overlapped"
            "|a misread time zone|a stale cache|a retry without a limit",
            "fix": "renewed the certificate|moved the job to a later hour|rebuilt the index"
            "|rolled back the release|cleared the cache|raised the limit|corrected the mapping"
            "|replaced the faulty scanner|added a check to the import",
            "when": "on Monday morning|shortly after midnight|during the weekly close"
            "|just before the shift changed|late in the afternoon|while the trucks were loading"
            "|after the weekend update|during the audit",
            "team": "the night team|our first line|the platform group|the integration team"
            "|the duty engineer|the release crew|the data desk",
            "place": "the harbour depot|the eastern yard|the cold store|the main warehouse"
            "|the border office|the rail terminal|the returns centre|the airport hub",
            "goods": "spare parts|frozen fish|medical supplies|garden furniture|bottled water"
            "|machine tools|printed books|winter tyres|coffee beans|laboratory glass",
            "number": "three|four|five|six|seven|eight|nine|twelve|fifteen|twenty|thirty|forty",
            "opening": "In short|On balance|For the record|As agreed|Looking ahead|In hindsight"
            "|By contrast|To summarise|In practice|So far",
            "adjective": "steady|uneven|encouraging|modest|patchy|solid|thin|broad|sharp|gradual"
            "|unusual|seasonal",
        }.items()
    }
)
