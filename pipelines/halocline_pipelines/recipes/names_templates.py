"""Letters, mails, chats, tables, forms, notes and transcripts with slots: texts to train on.

`{P}` is a person, `{F}` and `{L}` the person's names, `{LF}` the name turned round, `{O}` an
organization, `{C}` a city, `{N}` a country or region, `{S}` a state and `{ST}` its letters; a digit
behind the letter keeps the person. All other slots hold no name. Templates are divided by `---`.
"""

from __future__ import annotations

TRAIN = """
Dear {P1},

Thank you for your letter of {D}. {X} Please contact {F2} in our {C} office if you have questions.

Sincerely,
{P2}
{R}, {O}
---
Dear Mr. {L},

We are pleased to confirm your appointment at {O} on {D}. {X}

Kind regards,

{P}
{R}
{O}
{A}
{C}, {ST} {#}
---
Dear Sir or Madam,

I am writing on behalf of {O}. {X} Our client, {P1}, moved from {C} to {C} in {M}.

Yours faithfully,
{P2}
---
From: {P1} <{E1}>
To: {P2} <{E2}>
Cc: {P3}; {P}
Subject: {H}

Hi {F2},

{X} Can you send the draft to {F3} before {W}? {O} wants to see it too.

Thanks,
{F1}
---
From: {E1}
To: {E2}
Date: {W}, {D}
Subject: Re: {H}

Hello {F2}, {X}
I talked to {P3} from {O} yesterday. They will fly to {C} on {W}.

Best,
{P1}
{R} | {O} | {C}
{TEL}
---
Hi all,

Quick update from {C}: {X} {P1} will take over from {P2} as {R} on {D}.

Best regards
{P}
---
{F},

{X} See you in {C}.

{F}
---
On {W}, {D} at {T}, {P} wrote:
> {X}
> {F}, could you check with {O}?
Will do. {X}
---
[{T}] {F1}: hey {F2}, did {O} reply?
[{T}] {F2}: not yet, {F3} is asking
[{T}] {F1}: {x}
[{T}] {F2}: I'm in {C} until {W}
---
{F1}: {x}
{F2}: lol {x}
{F1}: btw {F3} moved to {C} last {W}
{F2}: no way, with {P4}?
{F1}: yes, works for {O} now
---
{f1}: {x}
{f2}: is {f3} still at {o}?
{f1}: yep she lives in {c} now
{f2}: cool, say hi to {fl4}
---
hey {f}, can you ask {fl} about the {o} invoice? {x}
---
hi {f}! {x} call me when you get to {c}
---
my name is {fl} and i live in {c}, {n}. {x}
---
thanks {f}, {x} i'll ping {f} at {o}
---
does anyone know if {o} ships to {n}? {x}
---
i met {fl} in {c} last summer. {x}
---
@{h1} {x} {F1} said {O} is hiring in {C}
---
Agent: Thank you for calling {O}, this is {F1} speaking. May I have your name?
Caller: Yes, it's {P2}.
Agent: Thank you, {TI} {L2}. {X}
Caller: I ordered it from your {C} store.
---
Operator: Good day and welcome to the {O} earnings call. {X}
{P1}: Thank you. {X} I'd like to hand over to {F2}.
{P2}: Thanks, {F1}. {X} Sales in {N} grew.
Operator: Our next question comes from {P3} with {O}.
---
SPEAKER 1: And where were you born?
SPEAKER 2: In {C}, but I grew up in {N}. My mother, {F}, worked for {O}.
---
Interviewer: So tell us about {P}.
{L}: {X}
---
Name: {P}
Address: {A}, {C}, {ST} {#}
Employer: {O}
Phone: {TEL}
---
First name: {F}
Last name: {L}
City: {C}
State: {S}
Country: {N}
Company: {O}
---
Full Name ......... {P}
Place of birth .... {C}
Nationality ....... {NAT}
Emergency contact . {P} ({TEL})
---
PATIENT: {P}    DOB: {D}    MRN: {#}
Referring physician: Dr. {P}
{X} Patient was seen at {O} by Dr. {L}.
---
Applicant: {LF}
Spouse: {LF}
Employer: {O}
City/State: {C}, {ST}
---
| Name | Company | City | Amount |
|---|---|---|---|
| {P} | {O} | {C} | {$} |
| {P} | {O} | {C} | {$} |
| {LF} | {O} | {C} | {$} |
---
Name\tDepartment\tOffice\tPhone
{P}\t{DEP}\t{C}\t{TEL}
{LF}\t{DEP}\t{C}\t{TEL}
{P}\t{DEP}\t{N}\t{TEL}
---
id,first_name,last_name,email,company,city,country
{#},{F1},{L1},{E1},{O},{C},{N}
{#},{F2},{L2},{E2},{O},{C},{N}
---
Employee            Location          Salary
{P1}     {C}     {$}
{P2}     {C}     {$}
{LF}     {C}     {$}
---
{LF} {D} {$}
{LF} {D} {$}
{LF} {D} {$}
---
Attendees: {P}, {P}, {P} ({O}), {F}
Apologies: {P}
Minutes: {X} {L} proposed to postpone. {F} agreed.
---
Spoke w/ {F} at {O} re: renewal. {X} Follow up w/ {P} next {W}.
---
{D} - Call with {P} ({R}, {O}). {X} Competitor is {O}. HQ in {C}.
---
Met {P} and {P} from {O} in {C}. {X} Decision maker: {F}.
---
CRM note: {P} left {O}; new contact is {P}. {X}
---
Lead source: conference {C}. Contact: {P}, {R}. Account: {O}. Next step: demo with {F}'s team.
---
Bill to:
{O}
Attn: {P}
{A}
{C}, {ST} {#}
{N}
---
Ship To: {P}
{A}
{C} {#}
{N}
---
{P}
{A}
{C}, {S} {#}
---
INVOICE {#}
Customer: {O}
Contact: {P}
{PR} x 2 {$}
Payment by {D} to {O}, {C}.
---
This Agreement is made on {D} between {O} ("Company"), a {S} corporation, and {P} ("Employee"). {X}
---
THIS LOAN AGREEMENT is entered into by and between {OU} (the "Borrower") and {OU} (the
"Lender"). The Borrower shall pay the Lender. {X}
---
IN WITNESS WHEREOF, the parties have executed this Agreement.
{OU}
By: {P}
Name: {P}
Title: {R}
---
/s/ {P}
{P}
{R}
---
{H}
{X} {O} announced on {W} that {P} would succeed {P} as {R}. {X}
---
{CU}, {M} {#} ({O}) - {X} {P1}, a spokesman for {O}, said on {W}. {L1} declined to comment.
---
{C} - Police in {C} arrested {P1}, {#}, on {W}. {L1}'s lawyer, {P}, said: {X}
---
{P}, {R} of {O}, told reporters in {C} that {N} and {N} had agreed.
---
{O} shares rose in {C} trading after {O} raised its stake. {X}
---
{O} bought {O} for {$}. The deal was led by {P} and {P} of {O}.
---
{P} scored twice as {O} beat {O} in {C} on {W}.
---
{P} was born in {C}, {N}, in 1956. He studied at {O} and later moved to {C}, {S}.
---
{P1} ({D}) was a {NAT} {R}. {L1} worked with {P} at {O} until {M}.
---
The {NAT} government said {N} would join {O} next {M}. {X}
---
{X} In {M}, {TI} {L} visited {N}, {N} and {N}.
---
The novel tells of {F}, who leaves {C} for {N}. {X}
---
{F} and {F} went to {C}. {F} didn't like it. {X}
---
"{X}" said {F}. {P} laughed.
---
{PU}
{R}
{OU}
{CU}, {ST}
---
MEMORANDUM
TO: {PU}
FROM: {PU}
DATE: {D}
RE: {CAPH}
{X}
---
Curriculum Vitae
{P}
{A}, {C}
Experience
2015 - 2019  {O}, {C} - {R}
2011 - 2015  {O}, {N} - {R}
Education
{O}, {C}
---
Ticket #{#}: user {P} ({E}) cannot log in. Assigned to {F}. {X}
---
Reviewed-by: {P} <{E}>
Signed-off-by: {P} <{E}>
---
Best wishes,
{F}
--
{P}
{R}
{O}
{C} | {TEL}
---
{X} Thanks in advance!
{f}
---
Happy birthday {F}! {X} Love, {F} & {F}
---
Dear {F} and {F},
{X} Greetings from {C}!
Your {F}
---
Dear Team,
{X} Please welcome {P}, who joins {DEP} from {O}.
{F}
---
Dear Customer,
{X} Your order {#} of {PR} was shipped from {C}.
{O} Support
---
Dear Hiring Manager,
I would like to apply as {R} at {O}. {X}
{P}
---
Account holder: {PU}
Bank: {OU}
Branch: {CU}
---
Passenger: {LS}
From: {CU} To: {CU} {D}
---
Witness statement of {P}
I, {P}, of {A}, {C}, say as follows: {X}
---
Plaintiff {P1} v. Defendant {O}. Judge {P} presiding. {L1} seeks damages. {X}
---
I work at {O} as a {R}. {X} My manager {F} is based in {C}.
---
How do I change the address on my account? My name is {P} and I live in {C}.
---
The flight from {C} to {C} via {C} was late. {X}
---
{X} We have offices in {C}, {C}, {C} and {C}, {S}.
---
The {O} office in {C}, {ST} is closed on {W}.
---
{L}, {F1} ({O}) {#}
{L}, {F2} ({O}) {#}
---
{L1}, {I}., & {L2}, {I}. (2014). {X}
---
Customers include {O}, {O}, {O} and {O}.
---
{O} ({#}), {C}; {O}, {N}.
---
Beneficiary: {P}, relationship: son. Executor: {P} of {C}.
"""
