"""Closed lists of words, written by hand, that the lexicon and the templates of names draw on."""

from __future__ import annotations


def listed(text: str) -> list[str]:
    """What stands between bars, or, where there is no bar, between blanks."""
    return text.split("|") if "|" in text else text.split()


TITLES = listed(
    "mr mrs ms miss mx dr prof professor sir dame lord lady judge justice senator congressman "
    "congresswoman representative governor mayor president chancellor minister ambassador "
    "captain colonel general lieutenant sergeant major admiral officer detective sheriff "
    "rabbi imam pastor reverend rev bishop pope king queen prince princess uncle aunt auntie "
    "grandma grandpa coach herr frau madame monsieur señor señora don doña messrs mme mlle "
    "sen rep gov gen col capt lt sgt hon"
)
GREETINGS = listed(
    "hi hey hello dear thanks thx regards sincerely cheers cc bcc from to attn attention name "
    "signed by ask tell told asked with meet met call called contact ping email emailed hola "
    "yo goodbye bye morning evening welcome congrats sorry sir love sent author caller agent "
    "speaker"
)
SUFFIXES = listed(
    "inc incorporated corp corporation co company companies ltd limited llc llp lp plc gmbh "
    "ag sa sas sarl srl spa nv bv ab oy oyj as asa kg kgaa ohg se pty pte sdn bhd kk pvt cie "
    "group groupe holding holdings partners partnership associates bros brothers trust fund "
    "sons"
)
FIRM_WORDS = listed(
    "bank bancorp university college school institute academy ministry department agency "
    "commission council committee association federation foundation society union authority "
    "bureau office hospital clinic church museum library club league party parliament senate "
    "congress court board exchange airlines airways motors energy petroleum oil gas electric "
    "power pharmaceuticals pharma biotech therapeutics technologies technology systems "
    "software solutions services logistics insurance financial capital ventures investments "
    "securities management consulting partners industries international global media press "
    "news times journal network networks studios entertainment records foods brands stores "
    "retail labs laboratories research analytics communications telecom mobile health "
    "healthcare medical dental legal law advisors realty properties builders construction "
    "engineering design airlines shipping transport railway"
)
PLACE_WORDS = listed(
    "city town village county district province state region street avenue road lane "
    "boulevard square park river lake mountain mount mountains island islands bay beach "
    "valley hill hills north south east west northern southern eastern western central new "
    "san santa saint port fort cape gulf sea ocean desert forest airport station bridge "
    "harbor harbour coast peninsula heights springs falls creek canyon republic kingdom "
    "downtown borough township"
)
DATES = listed(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday "
    "friday saturday sunday mon tue tues wed thu thur thurs fri sat sun spring summer autumn "
    "fall winter christmas easter thanksgiving q1 q2 q3 q4"
)
JOINS = listed(
    "of the and for de la le les des du del della di da dos das van von der den ten ter zu "
    "zur bin ibn al el bint abu y e i und et & upon on in at af av och og"
)
ROLE_WORDS = listed(
    "borrower lender agent trustee guarantor landlord tenant buyer seller purchaser issuer "
    "employer employee executive registrant holder investor licensee licensor contractor "
    "client customer supplier vendor parent subsidiary ceo cfo coo cto director manager "
    "engineer analyst officer chairman secretary treasurer chief vice assistant accountant "
    "nurse patient doctor teacher student member applicant agreement section article exhibit "
    "schedule table figure appendix note invoice order report subject date account total "
    "amount phone email address fax"
)
STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA",
    "Colorado": "CO", "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA",
    "Hawaii": "HI", "Idaho": "ID", "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS",
    "Kentucky": "KY", "Louisiana": "LA", "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA",
    "Michigan": "MI", "Minnesota": "MN", "Mississippi": "MS", "Missouri": "MO", "Montana": "MT",
    "Nebraska": "NE", "Nevada": "NV", "New Hampshire": "NH", "New Jersey": "NJ",
    "New Mexico": "NM", "New York": "NY", "North Carolina": "NC", "North Dakota": "ND",
    "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA", "Rhode Island": "RI",
    "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX", "Utah": "UT",
    "Vermont": "VT", "Virginia": "VA", "Washington": "WA", "West Virginia": "WV",
    "Wisconsin": "WI", "Wyoming": "WY", "Ontario": "ON", "Quebec": "QC", "Alberta": "AB",
    "British Columbia": "BC", "Manitoba": "MB", "Nova Scotia": "NS", "Queensland": "QLD",
    "New South Wales": "NSW", "Victoria": "VIC", "Tasmania": "TAS",
}  # fmt: skip
CITIES = listed(
    "New York|Los Angeles|Chicago|Houston|Phoenix|Philadelphia|San Antonio|San Diego|"
    "Dallas|Austin|San Jose|Jacksonville|Fort Worth|Columbus|Charlotte|Indianapolis|"
    "San Francisco|Seattle|Denver|Boston|Nashville|Detroit|Portland|Las Vegas|"
    "Memphis|Louisville|Baltimore|Milwaukee|Albuquerque|Tucson|Fresno|Sacramento|"
    "Kansas City|Atlanta|Omaha|Raleigh|Miami|Oakland|Minneapolis|Tulsa|Tampa|"
    "New Orleans|Cleveland|Honolulu|Anaheim|Pittsburgh|Cincinnati|St. Louis|St. Paul|"
    "Orlando|Salt Lake City|Boise|Buffalo|Rochester|Albany|Hartford|Providence|"
    "Newark|Palo Alto|Cupertino|Mountain View|Redmond|Cambridge|Princeton|Brooklyn|"
    "Manhattan|Queens|Harlem|Santa Fe|El Paso|London|Manchester|Birmingham|Leeds|"
    "Glasgow|Edinburgh|Liverpool|Bristol|Cardiff|Belfast|Oxford|Dublin|Cork|Galway|"
    "Paris|Lyon|Marseille|Toulouse|Nice|Bordeaux|Lille|Strasbourg|Berlin|Hamburg|"
    "Munich|Frankfurt|Cologne|Stuttgart|Düsseldorf|Leipzig|Dresden|Vienna|Salzburg|"
    "Graz|Zurich|Geneva|Basel|Bern|Lausanne|Rome|Milan|Naples|Turin|Florence|"
    "Venice|Bologna|Palermo|Madrid|Barcelona|Valencia|Seville|Bilbao|Málaga|Lisbon|"
    "Porto|Amsterdam|Rotterdam|The Hague|Utrecht|Brussels|Antwerp|Ghent|Luxembourg|"
    "Copenhagen|Aarhus|Stockholm|Gothenburg|Malmö|Oslo|Bergen|Helsinki|Tampere|"
    "Reykjavik|Warsaw|Kraków|Gdańsk|Wrocław|Prague|Brno|Bratislava|Budapest|"
    "Bucharest|Sofia|Belgrade|Zagreb|Ljubljana|Sarajevo|Skopje|Tirana|Athens|"
    "Thessaloniki|Istanbul|Ankara|Izmir|Moscow|St. Petersburg|Kyiv|Odesa|Lviv|Minsk|"
    "Vilnius|Riga|Tallinn|Tbilisi|Yerevan|Baku|Tehran|Baghdad|Damascus|Beirut|"
    "Amman|Jerusalem|Tel Aviv|Haifa|Cairo|Alexandria|Riyadh|Jeddah|Dubai|Abu Dhabi|"
    "Doha|Kuwait City|Muscat|Karachi|Lahore|Islamabad|Delhi|New Delhi|Mumbai|"
    "Bangalore|Bengaluru|Chennai|Kolkata|Hyderabad|Pune|Ahmedabad|Jaipur|Dhaka|"
    "Colombo|Kathmandu|Bangkok|Hanoi|Ho Chi Minh City|Phnom Penh|Kuala Lumpur|"
    "Singapore|Jakarta|Manila|Cebu|Taipei|Hong Kong|Macau|Beijing|Shanghai|Shenzhen|"
    "Guangzhou|Chengdu|Wuhan|Nanjing|Seoul|Busan|Tokyo|Osaka|Kyoto|Nagoya|Sapporo|"
    "Sydney|Melbourne|Brisbane|Perth|Adelaide|Canberra|Auckland|Wellington|"
    "Christchurch|Lagos|Abuja|Accra|Nairobi|Mombasa|Kampala|Kigali|Dar es Salaam|"
    "Addis Ababa|Johannesburg|Cape Town|Durban|Pretoria|Harare|Lusaka|Dakar|Abidjan|"
    "Casablanca|Rabat|Tunis|Algiers|Tripoli|Khartoum|Toronto|Montreal|Vancouver|"
    "Ottawa|Calgary|Edmonton|Winnipeg|Halifax|Mexico City|Guadalajara|Monterrey|"
    "Tijuana|Havana|Kingston|San Juan|Panama City|Bogotá|Medellín|Cali|Quito|"
    "Guayaquil|Lima|La Paz|Santiago|Valparaíso|Buenos Aires|Córdoba|Montevideo|"
    "Asunción|São Paulo|Rio de Janeiro|Brasília|Salvador|Recife|Caracas"
)
REGIONS = listed(
    "Europe|Asia|Africa|North America|South America|Latin America|Middle East|"
    "Southeast Asia|Eastern Europe|Western Europe|Scandinavia|Balkans|Caribbean|"
    "Antarctica|Siberia|Bavaria|Tuscany|Catalonia|Andalusia|Normandy|Provence|"
    "Brittany|Lombardy|Sicily|Scotland|England|Wales|Northern Ireland|Great Britain|"
    "Punjab|Kerala|Gujarat|Maharashtra|Bengal|Kashmir|Guangdong|Silicon Valley|"
    "Bay Area|Midwest|New England|East Coast|West Coast|Wall Street|Hollywood|"
    "Pacific Ocean|Atlantic|Mediterranean|Rocky Mountains|Alps|Himalayas|"
    "Mississippi River|Rhine|Danube|Thames|Nile|Amazon River|Lake Michigan|Sahara|"
    "Mount Everest|Central Park|Times Square|Heathrow|Long Island|Yorkshire|Cornwall|"
    "Orange County|Cook County|Harris County|U.S.|USA|US|UK|U.K.|UAE|EU|"
    "United States|United Kingdom|United States of America|South Korea|North Korea|"
    "Russia|Iran|Vietnam|Taiwan|Syria|Soviet Union|Czech Republic|Ivory Coast|"
    "Holland|Turkey|Burma|Washington D.C.|Washington, D.C."
)
FIRMS = listed(
    "Google|Microsoft|Apple|Amazon|Facebook|Meta|Netflix|IBM|Intel|Oracle|SAP|"
    "Cisco|Dell|HP|Hewlett-Packard|Samsung|Sony|Nokia|Ericsson|Siemens|Bosch|"
    "Philips|Toyota|Honda|Nissan|Ford|General Motors|GM|Tesla|BMW|Volkswagen|"
    "Daimler|Audi|Renault|Fiat|Volvo|Hyundai|Boeing|Airbus|Lockheed Martin|Raytheon|"
    "General Electric|GE|Exxon|ExxonMobil|Chevron|Shell|BP|Total|Gazprom|Walmart|"
    "Target|Costco|Tesco|Carrefour|IKEA|Aldi|Lidl|Nestlé|Unilever|Procter & Gamble|"
    "P&G|Coca-Cola|PepsiCo|McDonald's|Starbucks|Burger King|Nike|Adidas|Zara|H&M|"
    "Goldman Sachs|Morgan Stanley|JPMorgan|JPMorgan Chase|Citigroup|Citibank|"
    "Bank of America|Wells Fargo|HSBC|Barclays|Deutsche Bank|UBS|Credit Suisse|"
    "BNP Paribas|Santander|ING|Visa|Mastercard|PayPal|American Express|Stripe|"
    "Berkshire Hathaway|BlackRock|Fidelity|Vanguard|Lehman Brothers|Deloitte|KPMG|PwC|"
    "Ernst & Young|McKinsey|Accenture|Pfizer|Moderna|Merck|Novartis|Roche|Bayer|"
    "GlaxoSmithKline|AstraZeneca|Johnson & Johnson|Twitter|LinkedIn|YouTube|Instagram|"
    "WhatsApp|TikTok|Uber|Lyft|Airbnb|Spotify|Dropbox|Salesforce|Adobe|Nvidia|AMD|"
    "Qualcomm|AT&T|Verizon|T-Mobile|Vodafone|Comcast|Disney|Warner Bros.|Universal|"
    "Paramount|BBC|CNN|Fox News|NBC|ABC|CBS|ESPN|Reuters|Associated Press|"
    "Bloomberg|The New York Times|New York Times|The Guardian|Washington Post|"
    "Wall Street Journal|Financial Times|The Economist|FBI|CIA|NSA|NASA|FDA|SEC|IRS|"
    "EPA|FCC|DHS|UN|United Nations|NATO|WHO|World Health Organization|European Union|"
    "European Commission|IMF|World Bank|UNESCO|UNICEF|OPEC|WTO|Red Cross|Greenpeace|"
    "Amnesty International|Congress|Senate|House of Representatives|Parliament|"
    "Supreme Court|White House|Pentagon|Kremlin|Federal Reserve|Treasury Department|"
    "State Department|Department of Justice|Ministry of Finance|Harvard|"
    "Harvard University|Stanford|Yale|MIT|Oxford University|University of Cambridge|"
    "UCLA|NYU|Columbia University|ETH Zurich|Manchester United|Real Madrid|"
    "FC Barcelona|Liverpool FC|Arsenal|Chelsea|Bayern Munich|Juventus|Ajax|"
    "New York Yankees|Boston Red Sox|Dallas Cowboys|Los Angeles Lakers|Chicago Bulls|"
    "Golden State Warriors|NBA|NFL|NHL|FIFA|UEFA|Republican Party|Democratic Party|"
    "GOP|Labour Party|Conservative Party|FedEx|UPS|DHL|Lufthansa|Delta Air Lines|"
    "United Airlines|British Airways|Ryanair|Marriott|Hilton|Alibaba|Tencent|Huawei|"
    "Xiaomi|Baidu|Lenovo|Infosys|Tata|Wipro|Reliance|Petrobras|Mitsubishi|Hitachi|"
    "Panasonic|Toshiba|Nintendo|OpenAI|GitHub|Mozilla|Red Hat|VMware|Zoom|Slack|"
    "Intuit|Workday|Palantir|SpaceX|Whole Foods|Home Depot|Best Buy|Kroger|CVS|"
    "Walgreens|UnitedHealth|Aetna|Kaiser Permanente|Mayo Clinic|Blue Cross|Prudential|"
    "MetLife|Allianz|AXA|State Farm|Geico"
)
