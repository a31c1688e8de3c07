"""Review titles and messages: phrases of this project, combined; none is a real customer's."""

import numpy as np
import polars as pl

from olist_platform.generator import calibration
from olist_platform.generator.arrays import Flags, Integers
from olist_platform.generator.calibration import DIRT

_TITLES: dict[str, tuple[str, ...]] = {
    "bad": (
        "Não recebi",
        "Decepcionado",
        "Produto errado",
        "Péssimo atendimento",
        "Atraso na entrega",
        "Não recomendo",
        "Veio incompleto",
        "Quero meu dinheiro",
        "Ruim",
        "0",
    ),
    "fair": (
        "Regular",
        "Mais ou menos",
        "Poderia ser melhor",
        "Razoável",
        "Demorou",
        "Esperava mais",
        "Bom",
        "Médio",
    ),
    "good": (
        "Recomendo",
        "Super recomendo",
        "Ótimo",
        "Excelente",
        "Muito bom",
        "Perfeito",
        "Adorei",
        "Produto de qualidade",
        "Chegou antes do prazo",
        "Nota 10",
        "10",
        "Satisfeita",
    ),
}

_OPENINGS: dict[str, tuple[str, ...]] = {
    "bad": (
        "Ainda não recebi o pedido",
        "O produto chegou com defeito",
        "Comprei duas unidades e veio só uma",
        "Mandaram outro modelo",
        "A entrega passou muito do combinado",
        "O material é bem inferior ao da foto",
        "A caixa chegou aberta e amassada",
        "O aparelho parou no segundo dia",
        "Faltou uma peça no pacote",
        "A cor não é a que escolhi",
        "O rastreio não muda há dias",
        "Paguei e o pedido foi cancelado",
    ),
    "fair": (
        "O produto é simples e cumpre o papel",
        "Gostei do produto e não da entrega",
        "A qualidade é razoável pelo preço",
        "Chegou dentro do prazo e com a embalagem ruim",
        "O acabamento deixa a desejar",
        "É menor do que eu imaginava",
        "Funciona e faz muito barulho",
        "O tecido é mais fino do que parece",
    ),
    "good": (
        "Produto muito bom",
        "Chegou bem antes do prazo",
        "Entrega rápida e bem embalada",
        "Exatamente como na descrição",
        "Minha filha adorou o presente",
        "Qualidade acima do que eu esperava",
        "Já é a segunda vez que compro",
        "Ótimo custo e benefício",
        "Tudo certo com o pedido",
        "Lindo e bem acabado",
        "Instalei no mesmo dia e funciona bem",
        "Vendedor atencioso",
    ),
}

_CLOSINGS: dict[str, tuple[str, ...]] = {
    "bad": (
        "Já mandei mensagem e ninguém responde",
        "Quero a devolução do valor",
        "Não compro mais nesta loja",
        "Preciso de uma solução urgente",
        "Vou reclamar onde for preciso",
        "Aguardo um retorno da loja",
        "Perdi a confiança no site",
        "Era um presente e perdi a data",
        "Total falta de respeito",
        "Espero que resolvam logo",
    ),
    "fair": (
        "Pelo valor está bom",
        "A loja podia melhorar nisso",
        "Não sei se compraria de novo",
        "Talvez eu troque por outro",
        "O frete foi caro para o tamanho",
        "No geral atendeu",
        "Vou usar mais para ter certeza",
    ),
    "good": (
        "Recomendo a todos",
        "Voltarei a comprar com certeza",
        "Parabéns à loja",
        "Estou muito satisfeito",
        "Nota dez para o vendedor",
        "Podem comprar sem medo",
        "Obrigada pelo cuidado",
        "Superou as expectativas",
        "Amei de verdade",
        "Nada a reclamar",
    ),
}

_DETAILS = (
    "",
    "",
    "",
    "Comprei no começo do mês",
    "Moro no interior e o frete pesa",
    "Era para a cozinha da minha mãe",
    "O boleto foi pago no mesmo dia",
    "A transportadora ligou antes",
    "Segui o rastreio até o fim",
    "Uso todos os dias no trabalho",
)

_QUOTES = (' A página diz "entregue".', ' O anúncio falava em "pronta entrega".', ' Tem 6".')
_EMOJI = (" 😍", " 👏👏", " 😡", " ❤️", " 👍", " 😞", "🎉")
_SEPARATORS = (". ", ", ", "\r\n")
_SECOND_SENTENCE_SHARE = 0.5
_UNFIT_WORDS_SHARE = 0.04
"""Share of reviews whose words do not fit their stars."""

_MOOD_BY_SCORE = ("bad", "bad", "fair", "good", "good")


def review_texts(
    rng: np.random.Generator, score: Integers, dirt: bool
) -> tuple[pl.Series, pl.Series]:
    """Return titles and messages of reviews, null where the customer wrote none.

    Args:
        rng: Random numbers.
        score: Stars of each review, 1 to 5.
        dirt: Whether messages hold commas, quotes, line breaks, emoji and capitals.
    """
    count = len(score)
    has_title = rng.random(count) < np.array(calibration.TITLE_SHARE_BY_SCORE)[score - 1]
    has_message = rng.random(count) < np.array(calibration.MESSAGE_SHARE_BY_SCORE)[score - 1]
    titles = _by_mood(rng, _TITLES, score)
    opening, closing = _by_mood(rng, _OPENINGS, score), _by_mood(rng, _CLOSINGS, score)
    detail = _phrases(rng, _DETAILS, count)
    separator = _separators(rng, count, dirt)
    has_detail = detail != ""
    middle = separator + detail
    message = opening + middle.zip_with(has_detail, pl.repeat("", count, eager=True))
    second = rng.random(count) < _SECOND_SENTENCE_SHARE
    message = (message + separator + closing).zip_with(_mask(second), message)
    if dirt:
        message = _decorate(rng, message)
    nothing = pl.repeat(None, count, dtype=pl.String, eager=True)
    return (
        titles.zip_with(_mask(has_title), nothing),
        message.zip_with(_mask(has_message), nothing),
    )


def _by_mood(
    rng: np.random.Generator, phrases: dict[str, tuple[str, ...]], score: Integers
) -> pl.Series:
    moods = list(phrases)
    mood = np.array([moods.index(name) for name in _MOOD_BY_SCORE])[score - 1]
    any_mood = rng.integers(0, len(moods), len(score))
    mood = np.where(rng.random(len(score)) < _UNFIT_WORDS_SHARE, any_mood, mood)
    lengths = np.array([len(texts) for texts in phrases.values()])
    starts = np.cumsum(lengths) - lengths
    chosen = starts[mood] + (rng.random(len(score)) * lengths[mood]).astype(np.int64)
    return pl.Series([text for texts in phrases.values() for text in texts]).gather(chosen)


def _phrases(rng: np.random.Generator, phrases: tuple[str, ...], count: int) -> pl.Series:
    return pl.Series(phrases).gather(rng.integers(0, len(phrases), count))


def _separators(rng: np.random.Generator, count: int, dirt: bool) -> pl.Series:
    fate = rng.random(count)
    # A separator shows only where a second phrase follows, in about 85 of 100 messages.
    commas = DIRT.comment_comma_share / 0.85
    breaks = DIRT.comment_line_break_share / 0.85
    kind = np.where(fate < commas, 1, np.where(fate < commas + breaks, 2, 0))
    return pl.Series(_SEPARATORS).gather(kind if dirt else np.zeros(count, dtype=np.int64))


def _decorate(rng: np.random.Generator, message: pl.Series) -> pl.Series:
    count = len(message)
    for share, endings in (
        (DIRT.comment_quote_share, _QUOTES),
        (DIRT.comment_emoji_share, _EMOJI),
    ):
        ending = _phrases(rng, endings, count)
        message = (message + ending).zip_with(_mask(rng.random(count) < share), message)
    shouts = _mask(rng.random(count) < DIRT.comment_capitals_share)
    return message.str.to_uppercase().zip_with(shouts, message)


def _mask(flags: Flags) -> pl.Series:
    return pl.Series(flags)
