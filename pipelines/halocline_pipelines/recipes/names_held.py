"""Templates that nothing was trained on, in the form of `names_templates`: texts to measure on."""

from __future__ import annotations

HELD = """
To whom it may concern,

{P1} was employed by {O} between {M} and {M}. {X} I can recommend {F1} warmly.

{P2}
{R}
---
Good morning {F1},
following up on our chat in {C}: {O} has signed. {X} Could {F2} share the numbers with {P3}?
Cheers
{F}
---
{P1} <{E1}> wrote on {D}:
Hey {F2}! {X} Did you hear that {O} is leaving {N}?
---
<{F1}> morning! anyone seen {F2}?
<{F3}> {F2} is at {O} in {C} today
<{F1}> {x}
---
yo {f} u coming to {c}? {fl} will be there. {x}
---
just talked with {fl} from {o}, {x}
---
Rep: Thanks for holding, you're through to {F1} at {O}. Who am I speaking with?
Customer: This is {P2} from {C}.
Rep: Great, Ms. {L2}. {X}
---
Surname: {L}
Given names: {F}
Residence: {C}, {N}
Occupation: {R} at {O}
---
Claimant name          {P}
Insurer                {O}
Place of accident      {C}, {ST}
---
name;employer;town;paid
{P};{O};{C};{$}
{P};{O};{C};{$}
---
| # | Contact | Account | Region |
| 1 | {P} | {O} | {N} |
| 2 | {LF} | {O} | {N} |
---
Visited {O} ({C}). Champion: {P}; blocker: {P}. {X} {F} to send the quote by {W}.
---
Demo for {O} done. {F} liked it, {P} was skeptical. {X}
---
{O}
c/o {P}
{A}
{C}, {S} {#}
---
The undersigned, {P}, {R} of {O}, certifies that the statements are correct. Signed at {C} on {D}.
---
{P} has been named {R} of {O}, the company said in {C} on {W}. She replaces {P}, who left for {O}.
---
{N} recalled its ambassador from {C} after {TI} {L} met with {P}. {X}
---
Born in {C}, {P1} joined {O} in 1988. {L1} now lives in {C}, {S}.
---
NOTICE OF MEETING
{PU} and {PU}, {R}s of {OU}, will meet in {CU}.
{X}
---
Students: {LF}; {LF}; {P}
Teacher: {TI} {L}
School: {O}
---
Regarding {PR}: {X} The Borrower may prepay. {H}
---
{CAPH}
{X} {H}
---
Hi {F},
your appointment with Dr. {L} at {O} is on {W}, {D} at {T}.
---
Many thanks to {P}, {P} and the team at {O}. {X}
---
Drivers needed in {C} and {C}! Call {F} at {TEL}. {X}
"""
