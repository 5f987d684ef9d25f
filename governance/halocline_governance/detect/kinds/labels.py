"""The words that name a value, where several kinds need them: each stands here once.

`*` stands for letters, a blank for `_` too (`words.Words`).
"""

from __future__ import annotations


def _listed(phrases: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in phrases.split(","))


PHONE = _listed(
    "phone*, telephone*, tel, telef*, mobile*, mobil, mob, cell*, movil, cellulare, fax*, ph,"
    "rufnummer, handy*, whatsapp, pager, portable, komorka, gsm, landline,"
    "tlf, tfno, fono, cel, celular"
)
"""Right before a number they leave no doubt."""
CALL = (
    *PHONE,
    *_listed(
        "call, calls, calling, called, dial, text, sms, hotline, contact*, reach, tel nr, kom,"
        "durchwahl, ring, helpline, callback, signal, kontakt*, num tel, appel*, llam*, anruf*,"
        "chiama*, bel, nummer, voicemail, telegram, viber, direct, my number, your number,"
        "his number, her number, their number"
    ),
)
"""A number that a word of these stands beside may be a phone's."""
CARD = _listed("card*, credit card*, visa, mastercard*, amex, kreditkart*")
PAYMENT = (
    *CARD,
    *_listed(
        "american express, maestro, discover, diners*, jcb, cvv*, cvc*, expir*, exp, carte*,"
        "tarjeta*, carta, karte*, creditcard*, karta*, karty, kart*, pan, cc, unionpay"
    ),
)
"""A number that a word of these stands beside may be a card's."""
ACCOUNT = _listed(
    "account, accounts, accountn*, account id, accountid, accno, acct*, a/c, ac no, acc no, acc,"
    "konto*, kontonummer, bankkonto*, kto, compte, cuenta*, conto, c/c, rekening*, bankrekening*,"
    "konta, rachun*, checking*, savings*, giro*, bankverbindung, ccc, nrb, rib"
)
"""Right before a number they make it an account."""
BANKING = (*ACCOUNT, *_listed("sort code*, sortcode, deposit*, wire, bsb"))
"""A number that a word of these stands beside is worth a look."""
PAPERS = _listed(
    "passport*, passeport*, reisepass*, pasaporte*, passaporto*, paszport*, paspoort*, licen*"
)
OTHERS = (
    *CARD,
    *PAPERS,
    *_listed(
        "account*, acct*, konto*, compte, cuenta*, iban, routing*, invoice*, order*, rechnung*,"
        "isbn*, vat*, policy*, member*, customer id, tracking*, reg*, npi, sku, serial*, imei, id,"
        "dni, nif, ni"
    ),
)
"""A number that one of these stands nearer to is no phone's."""
TITLES = (*PHONE, *PAPERS, *_listed("account*, acct*, iban, konto*, compte, cuenta*"))
"""Right before a number they are its name, whatever national number is spoken of nearby."""
