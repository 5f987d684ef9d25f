"""Phrases that stand around names, to be combined at random: contexts more than templates have."""

from __future__ import annotations

PHRASES: dict[str, tuple[str, ...]] = {
    key: tuple(value.split("|"))
    for key, value in {
        # Labels of forms and columns: of a person, a firm, a place, of neither.
        "KP": "Name|Full name|Contact|Contact person|Customer|Client|Patient|Employee|Applicant|Tenant|Owner|Author|Owner name|Sender|Recipient|Signature|Signed by|Approved by|Prepared by|Requested by|Assigned to|Reported by|Supervisor|Manager|Guest|Passenger|Witness|Insured|Beneficiary|Account holder|Cardholder|Buyer|Seller|Student|Doctor|Physician|Driver|Attendee|Rep|Sales rep|Primary contact|Emergency contact|Spouse|Next of kin|Borrower|Cc|To|From|Attn|Maiden name|Caller|Host|Moderator|Interviewer|Editor|Reviewer|Candidate|Referee|Mother|Father|Nurse|Officer|Lawyer",  # noqa: E501
        "KO": "Company|Company name|Employer|Organization|Organisation|Account|Vendor|Supplier|Customer|Client|Business|Firm|Bank|Insurance|School|University|Hospital|Agency|Carrier|Manufacturer|Publisher|Sponsor|Institution|Landlord|Payee|Bill to|Ship from|Issuer|Provider|Partner|Competitor|Current employer|Previous employer|Merchant|Retailer|Club|Team|Affiliation|Lender|Contractor",  # noqa: E501
        "KC": "City|Town|Country|State|Location|Place|Place of birth|Birthplace|Address|City/State|Region|Province|County|Destination|Origin|Departure|Arrival|Branch|Office|Site|Venue|Hometown|Headquarters|HQ|Based in|Lives in|Country of origin|Citizenship country|Port|Station|District|Municipality|Where|Delivery area",  # noqa: E501
        "KX": "Date|Phone|Status|Subject|Amount|Order no|Priority|Category|Type|Due date|Notes|Reference|Department|Position|Job title|Gender|Language|Product|Quantity|Balance|Reason|Result|Email|Fax|Age|Version|Action|Item|Description|Re|Summary",  # noqa: E501
        "VX": "Open|Closed|Pending|High|Low|Urgent|Renewal|Complaint|Yes|No|N/A|Full Time|Part Time|Manager|Approved|Rejected|Engineer|Finance|Female|Male|English|Spanish|Monthly Report|Paid|Net 30|Standard|Premium|Marketing|In Progress|None|Unknown|Married|Single",  # noqa: E501
        "HI": "Dear|Hi|Hello|Hey|Good morning|Good afternoon|Good evening|Morning|Hola|Greetings|Hiya|Hey there|Hi there|Dearest|Welcome|Welcome back|Congratulations|Congrats|Thanks|Thank you|Sorry|Cheers|Yes|No|Ok|Okay|Sure|Great job|Nice work|Well done",  # noqa: E501
        "BYE": "Sincerely|Best|Best regards|Kind regards|Regards|Warm regards|Yours|Yours truly|Yours sincerely|Cheers|Thanks|Thank you|Many thanks|Love|Take care|Talk soon|Respectfully|Cordially|BR|Rgds|All the best|With best wishes|Warmly|Faithfully",  # noqa: E501
        "LEAD": "Yesterday|Today|Last week|In March|However,|According to|Although|When|After|Then|Later|On Monday|Meanwhile,|Because|If|But|And|So|While|Since|As|I think|I heard that|We know that|Apparently|Did you know that|She said|He told us that|It seems|Note that|Once|Last year|Earlier,|Finally,|In 2014|Sadly,|Luckily,|Also,|Until|Before|They say|Great news:|FYI,|Update:|Please note that|Why did|How did|Has|Can|Will|Should|Is|Was|Does",  # noqa: E501
        "VP": "said|says|told me|wrote|called|asked|joined us|left early|agreed|works there|is on holiday|was late|has resigned|lives nearby|will attend|cannot come|sent it|signed the form|replied|thinks so|wants a refund|is my manager|was promoted|paid the bill|confirmed|disagreed|moved away|got married|died in 1987|was elected|won the prize|wrote the report|taught history|plays chess|looked tired|smiled|did not answer|is leading the project|forgot the key|needs help|complained|is the new hire|retired|was arrested|testified|was born in 1962|sang|scored a goal|is allergic to nuts|was diagnosed with flu|took the minutes|reviewed the code|approved the budget",  # noqa: E501
        "VO": "announced a loss|reported earnings|shipped late|is hiring|was acquired|raised prices|lost the case|opened an office|cut jobs|launched a product|filed for bankruptcy|won the contract|declined to comment|is our client|owes us money|sued its rival|issued bonds|paid a dividend|changed its terms|merged|sponsors the event|replied|has closed|charged me twice|refused the claim|published a study|approved the drug|beat expectations|fined the bank|supports the bill|signed the lease|was founded in 1921|makes engines|sells furniture|is a subsidiary|employs 400 people",  # noqa: E501
        "VC": "is cold|was flooded|has a new mayor|is expensive|voted today|borders the sea|lies in the north|is the capital|has two airports|was hit by a storm|exports oil|signed the treaty|imposed tariffs|is lovely in spring|was occupied|declared independence|is growing",  # noqa: E501
        "PP": "with|by|from|for|to|and|about|of|between|via|behind|against|like|without|except|than|on behalf of|thanks to|together with|said|asked|told|saw|met|called|emailed|visited|thanked|hired|invited|married|represents|introduced",  # noqa: E501
        "PO": "at|from|for|with|by|of|to|against|via|joined|left|sued|acquired|bought|sold|founded|owns|runs|works for|working at|employed by|partner of|CEO of|shares of|customers of|a subsidiary of|a director of|a job at|an account with|an invoice from|on behalf of|between|competes with|acquisition of|merger with|switched to|offices of|spokesman for|president of|graduated from|studied at",  # noqa: E501
        "PC": "in|from|to|near|outside|around|across|via|throughout|visited|left for|lives in|based in|moved to|born in|travelled to|flight to|trip to|north of|the city of|the streets of|the mayor of|a suburb of|our office in|a hotel in|returned to|arrived in|exports to|capital of|people of|weather in|south of|located in|arrested in|settled in|village near|invaded",  # noqa: E501
        "VB": "Visited|Called|Emailed|Met|Ask|Tell|Invite|Thank|Remind|Contact|See|Meet|Call|Email|Follow|Spoke with|Talked to|Waiting for|Reminder for|Chased|Onboarded|Interviewed|Lunch with|Dinner with|Meeting with|Check with|Copy|Introduce|Send it to|Forward to|Escalated to|Assigned|Handed over to|Left a message for|Catch up with|Sync with|Demo for|Quote for|Contract with|Intro to",  # noqa: E501
        "INT": "Yes|No|Well|Sure|Okay|Right|Great|Good|Thanks|Sorry|Perfect|Excuse me|Hello|Absolutely|Of course|Alright|Exactly|Oh|Listen|Look|Please|Welcome|Congratulations|Fine|Thank you|Good morning|Um",  # noqa: E501
    }.items()
}

MIXED = """
Driver {LF} left {C} at {T}; arrived {C} {T}.
---
Chairman {P} and CEO {P} own shares of {O}. Director {L} resigned.
---
Please forward this to {P} in {DEP} ({O}).
---
{TI} {P} will see you at {O}, {C}. {X}
---
Sent from my {PR}
---
{CAPH}
{X} {X}
---
{X} {X} {X}
---
1. {H}
2. {H}
3. {H}
{X}
---
{H}
{X} The {R} shall notify the {R}. The Borrower and the Lender agree. {X}
---
{W}, {D}: {X} {M} was good for {PR}.
---
{M} {M} {M} Total
{PR} {$} {$} {$}
Net Revenue {$} {$} {$}
---
User: write a poem about {C}
Assistant: {X}
---
Question: who founded {O}? Answer: {P}.
---
Tell {F} I said hi. {X}
---
FYI {F} + {F} are out {W}. {X}
---
cc {F}, {F}
{X}
---
{F}? Are you there? {X}
---
Ask {P}. {X}
---
Mom called {F} and {F}. Uncle {F} is in {C}.
---
{X} {N}'s economy grew. {O}'s profit fell. {L}'s plan failed.
---
Reps: {P} / {P} / {P}
---
Contact {P} at {E} or {TEL}.
---
Organizer: {P}
Location: {C} office
Participants: {E}, {F}, {P}
---
{R}: {P}
{R}: {P}
{R}: {P}
---
{DEP}: {F}, {F}, {P}
---
Vendor: {O}
Vendor contact: {P}
Remit to: {A}, {C}, {ST}
---
Landlord: {P}
Tenant: {P}
Premises: {A}, {C}, {S}
---
{O}, {O} and {P} are named in the suit filed in {C}, {S}.
---
{HI} {F},
{X} {X}
{BYE},
{P}
---
{HI} {F}!
{X} {LEAD} {F} {VP}.
{BYE}
{F}
---
{HI} {TI} {L},
{X} {LEAD} {O} {VO}.
{BYE},
{P}
{R}, {O}
---
{KP}: {P}
{KX}: {VX}
{KO}: {O}
{KC}: {C}
{KX}: {D}
---
{KP}: {LF}
{KP}: {P}
{KC}: {C}, {ST}
{KX}: {VX}
---
{KP}\t{P}
{KO}\t{O}
{KC}\t{C}
---
{KP} {P}
{KX} {VX}
{KC} {N}
{KO} {O}
---
{KP}     {P}     {KX}     {VX}
{KO}     {O}     {KC}     {C}
---
{KP}: {P}, {KC}: {C}, {KX}: {VX}
---
{KO}: {O} | {KC}: {N} | {KP}: {P}
---
{KP} / {KO} / {KC} / {KX}
{P} / {O} / {C} / {VX}
---
{KP};{KC};{KO};{KX}
{P};{C};{O};{#}
{P};{C};{O};{#}
---
{KP},{KC},{KO},{KX}
{P},{C},{O},{VX}
{P},{N},{O},{VX}
---
{KO}  {KP}  {KC}  {KX}
{O}   {P}   {C}   {VX}
{O}   {P}   {C}   {VX}
---
| {KP} | {KX} | {KC} |
| {P} | {VX} | {C} |
| {P} | {VX} | {N} |
---
{LEAD} {P} {VP}. {X}
---
{LEAD} {F} {VP} and {F} {VP}.
---
{P} {VP} {PP} {P}. {X}
---
{L} {VP}. {LEAD} {TI} {L} {VP}.
---
{LEAD} {O} {VO}. {X}
---
{O} {VO}. {LEAD} {O} {VO} {PC} {C}.
---
{LEAD} {C} {VC}. {N} {VC}.
---
{X} He {VP} {PC} {C}. She {VP} {PC} {N}.
---
I {PC} {C}, {S}. {LEAD} we were {PO} {O}.
---
They talked {PP} {P} {PO} {O} {PC} {C}.
---
{VB} {P} {PO} {O}. {X}
---
{VB} {O} ({C}). {X} {VB} {F}.
---
{VB} {F} and {F} {PC} {C}.
---
{INT}, {TI} {L}. {X} {INT}, {F}.
---
{INT}. {X} {INT}! {X}
---
{INT}, this is {P} {PO} {O}. {X}
---
{P}: {INT}, {x}
{P}: {INT}. {LEAD} {F} {VP}.
---
{F}: {x}
{F}: {INT}, {F}. {X}
---
{f}: {x}
{f}: {PC} {c}? {x}
---
{LEAD} {f} {VP} {PC} {c}, {x}
---
{x} {PP} {fl} {PO} {o}. {x}
---
{LEAD} {o} {VO} {PC} {n}
---
{P} and {P} {VP}; {P}, {R} {PO} {O}, {VP}.
---
{R} {P} {VP}. {R} of {O}: {P}
---
{LEAD} {P}, {#}, {PC} {C}, {VP}.
---
{P} ({O}), {P} ({O}) and {P} ({N}) {VP}.
---
{CAPH}
{PU} {VP} {PO} {OU}
---
{CU}: {OU} {VO}
---
{KX}: {VX}
{KX}: {H}
{X} The {R} {VP}. The {DEP} team {VP}.
---
{H}: {X} {H}. {LEAD} the {R} {VP}.
---
{PR} {VO}. {LEAD} the {NAT} {R} {VP}.
---
{W}: {F}, {F}
{W}: {F}, {F}
---
{O} {#} {$}
{O} {#} {$}
{O} {#} {$}
---
{C} {#} {$}
{C} {#} {$}
{N} {#} {$}
---
* {P} - {O}
* {P} - {O}
* {F} - {C}
---
1. {P} ({C})
2. {P} ({C})
---
{P}
{O}
{C}
---
{P}, {O}
{P}, {C}
---
{O}
{A}
{C}, {N}
---
{F} {L}'s {DEP} team met {F}'s lawyer. {O}'s offer {PC} {C} {VC}.
---
from {f} to {f}: {x} {x}
---
i {PC} {c} {PP} {f}. {x}
"""
