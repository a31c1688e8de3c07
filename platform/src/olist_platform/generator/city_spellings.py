"""How people spell a city when nobody checks."""

from olist_platform.generator.reference_tables import plain

_STATE_NAMES = {"SP": "sao paulo", "RJ": "rio de janeiro", "MG": "minas gerais", "PR": "parana"}


def odd_spelling(name: str, state: str, variant: int) -> str:
    """Return an odd spelling of a city.

    Args:
        name: Official name.
        state: Two-letter state.
        variant: Which spelling; any integer.
    """
    bare = plain(name)
    spellings = (
        f"{bare} - {state.lower()}",
        name.lower(),
        bare.upper(),
        f"{bare} / {_STATE_NAMES.get(state, state.lower())}",
        name,
        f"{bare}/{state.lower()}",
        bare.replace(" ", "  ") if " " in bare else f"{bare} ",
        f"{bare}, {_STATE_NAMES.get(state, state.lower())}, brasil",
    )
    return spellings[variant % len(spellings)]
