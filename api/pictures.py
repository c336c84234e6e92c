"""Pictures of the demo shop's products, drawn from their slugs: a shape by the kind of thing, colours by the name."""

import hashlib
from html import escape

FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img" aria-label="{name}">
<defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="hsl({hue} 46% 95%)"/>
<stop offset="1" stop-color="hsl({hue} 40% 86%)"/></linearGradient></defs>
<rect width="400" height="400" fill="url(#sky)"/><circle cx="{x}" cy="{y}" r="132" fill="hsl({hue} 48% 90%)"/>
<ellipse cx="200" cy="318" rx="118" ry="12" fill="hsl({hue} 30% 40%)" fill-opacity=".16"/>
<g fill="hsl({tint} 42% 48%)" stroke="hsl({tint} 45% 30%)" stroke-width="5" stroke-linejoin="round" stroke-linecap="round">
{shape}</g></svg>"""

LIGHT = 'fill="#fff" fill-opacity=".78"'
LINE = 'fill="none"'
SHAPES = {
    "top": f'<path d="M150 100l-66 42 24 54 30-14v128h124V182l30 14 24-54-66-42c-22 26-78 26-100 0z"/><path d="M200 128v182" {LINE}/>',
    "shorts": f'<path d="M132 120h136l18 176h-66l-20-94-20 94h-66z"/><path d="M132 148h136" {LINE}/>',
    "shoe": f'<path d="M92 212c36 4 60-18 74-50l62 54c26 22 84 10 84 62v22H92z"/><path d="M92 300h220v14H92z" {LIGHT}/><path d="M186 196l20-18m0 36l20-18" {LINE}/>',
    "boot": f'<path d="M142 96h78v118c24 20 88 16 88 66v22H142z"/><path d="M142 302h166v14H142z" {LIGHT}/><path d="M142 126h78" {LINE}/>',
    "tent": f'<path d="M200 112l128 200H72z"/><path d="M200 172l52 140h-104z" {LIGHT}/>',
    "bag": f'<path d="M152 142c0-64 96-64 96 0" {LINE}/><rect x="118" y="140" width="164" height="172" rx="30"/><rect x="146" y="222" width="108" height="62" rx="12" {LIGHT}/>',
    "bedding": f'<path d="M110 130h180v182H110z"/><path d="M110 196h180M110 250h180" {LINE}/><path d="M110 312v10m24-10v10m24-10v10m24-10v10m24-10v10m24-10v10m24-10v10m36-10v10" {LINE}/>',
    "lamp": f'<path d="M158 104h84l40 98H118z" {LIGHT}/><path d="M200 202v96" {LINE}/><path d="M146 298h108v16H146z"/>',
    "bottle": f'<path d="M176 92h48v34h-48z" {LIGHT}/><path d="M176 126c-34 16-40 40-40 70v100a16 16 0 0 0 16 16h96a16 16 0 0 0 16-16V196c0-30-6-54-40-70z"/><path d="M136 216h128" {LINE}/>',
    "helmet": f'<path d="M92 244c0-84 52-126 112-126s104 42 104 126z"/><path d="M92 244h216v22H92z" {LIGHT}/><path d="M150 142l20 102m34-126v126m52-108l-20 108" {LINE}/>',
    "cup": f'<path d="M252 168c62-6 62 86 0 80" {LINE}/><path d="M124 138h132v136a36 36 0 0 1-36 36h-60a36 36 0 0 1-36-36z"/><path d="M124 168h132" {LINE}/>',
    "pan": f'<path d="M262 216h94" stroke-width="18" {LINE}/><circle cx="172" cy="216" r="94"/><circle cx="172" cy="216" r="66" {LIGHT}/>',
    "blade": f'<path d="M96 250L246 100c28 20 14 72-22 104l-64 56z" {LIGHT}/><path d="M96 250l64 10-40 52a26 26 0 0 1-44-36z"/>',
    "board": f'<rect x="104" y="112" width="192" height="200" rx="26"/><circle cx="200" cy="146" r="12" {LIGHT}/><path d="M134 196h132m-132 38h132m-132 38h92" {LINE}/>',
    "plant": f'<path d="M200 210c-6-66-72-60-84-84 62-12 90 24 84 84zm0-24c4-62 62-64 76-92-62-8-86 40-76 92z" {LIGHT}/><path d="M126 210h148l-20 102H146z"/><path d="M116 210h168" {LINE}/>',
    "vase": f'<path d="M172 100h56l-8 54c54 26 62 124 12 158h-64c-50-34-42-132 12-158z"/><path d="M150 208c34 18 66 18 100 0" {LINE}/>',
    "candle": f'<path d="M200 86c28 32 20 56 0 56s-28-24 0-56z" {LIGHT}/><path d="M200 142v30" {LINE}/><rect x="140" y="172" width="120" height="140" rx="12"/>',
    "clock": f'<circle cx="200" cy="206" r="106"/><circle cx="200" cy="206" r="80" {LIGHT}/><path d="M200 146v60l42 26" {LINE}/>',
    "soap": f'<rect x="106" y="190" width="188" height="116" rx="44"/><rect x="140" y="216" width="120" height="64" rx="26" {LIGHT}/><circle cx="150" cy="146" r="16" {LIGHT}/><circle cx="196" cy="118" r="24" {LIGHT}/>',
    "headphones": f'<path d="M108 236c0-160 184-160 184 0" stroke-width="16" {LINE}/><rect x="88" y="222" width="54" height="90" rx="24"/><rect x="258" y="222" width="54" height="90" rx="24"/>',
    "speaker": f'<rect x="124" y="100" width="152" height="212" rx="34"/><circle cx="200" cy="244" r="46" {LIGHT}/><circle cx="200" cy="156" r="24" {LIGHT}/>',
    "microphone": f'<rect x="158" y="92" width="84" height="138" rx="42"/><path d="M128 196c0 92 144 92 144 0M200 266v40m-50 6h100" {LINE}/><path d="M158 150h84" {LINE}/>',
    "turntable": f'<rect x="84" y="120" width="232" height="188" rx="18"/><circle cx="180" cy="214" r="74" {LIGHT}/><circle cx="180" cy="214" r="14"/><path d="M286 142l-6 96-36 30" {LINE}/>',
    "keyboard": f'<rect x="74" y="168" width="252" height="126" rx="18"/><path d="M102 202h22m22 0h22m22 0h22m22 0h22m22 0h22M102 232h22m22 0h22m22 0h22m22 0h22m22 0h22M148 264h104" stroke="#fff" stroke-width="14" {LINE}/>',
    "mouse": f'<rect x="134" y="104" width="132" height="206" rx="66"/><path d="M200 104v76m-66 0h132" {LINE}/><rect x="190" y="132" width="20" height="36" rx="10" {LIGHT}/>',
    "screen": f'<rect x="72" y="106" width="256" height="158" rx="14"/><rect x="90" y="124" width="220" height="122" rx="6" {LIGHT}/><path d="M200 264v42m-56 4h112" {LINE}/>',
    "device": f'<rect x="96" y="152" width="208" height="140" rx="26"/><path d="M128 252h36m24 0h36m24 0h28" stroke="#fff" stroke-width="12" {LINE}/><circle cx="268" cy="188" r="10" {LIGHT}/>',
    "cable": f'<path d="M120 128v60c0 120 160-20 160 96v24" stroke-width="14" {LINE}/><rect x="98" y="92" width="44" height="56" rx="10"/><rect x="258" y="262" width="44" height="50" rx="10"/>',
    "book": f'<rect x="112" y="96" width="176" height="216" rx="12"/><path d="M146 96v216" {LINE}/><rect x="176" y="134" width="82" height="48" rx="8" {LIGHT}/>',
    "pen": f'<path d="M254 96l52 52-150 150-72 18 20-70z"/><path d="M104 246l52 52" {LINE}/><path d="M228 122l52 52" {LINE}/>',
    "puzzle": '<path d="M104 152h66c-22-52 62-52 40 0h66v62c52-22 52 62 0 40v58H104v-58c46 18 46-58 0-40z"/>',
    "game": f'<rect x="112" y="112" width="176" height="196" rx="30"/><circle cx="158" cy="160" r="16" {LIGHT}/><circle cx="242" cy="160" r="16" {LIGHT}/><circle cx="200" cy="210" r="16" {LIGHT}/><circle cx="158" cy="260" r="16" {LIGHT}/><circle cx="242" cy="260" r="16" {LIGHT}/>',
    "robot": f'<path d="M200 132V98" {LINE}/><rect x="118" y="132" width="164" height="116" rx="24"/><circle cx="166" cy="186" r="18" {LIGHT}/><circle cx="234" cy="186" r="18" {LIGHT}/><rect x="146" y="260" width="108" height="52" rx="14"/>',
    "lock": f'<path d="M146 190v-34c0-74 108-74 108 0v34" stroke-width="14" {LINE}/><rect x="116" y="190" width="168" height="122" rx="22"/><circle cx="200" cy="246" r="18" {LIGHT}/>',
    "box": f'<path d="M200 104l112 52v108l-112 52-112-52V156z"/><path d="M88 156l112 52 112-52M200 208v108" {LINE}/>',
}  # fmt: skip
WORDS = {
    "top": "jacket pullover sweater shirt bathrobe", "shorts": "shorts", "shoe": "runner sneaker slippers",
    "boot": "boot", "tent": "tent", "bag": "backpack pannier bar", "bedding": "sleeping towels towel blanket mat",
    "lamp": "headlamp lamp light", "bottle": "bottle can stove mill", "helmet": "helmet", "cup": "mug coffee",
    "pan": "skillet", "blade": "knife shears razor", "board": "board cushion", "plant": "pot herb gloves",
    "vase": "vase", "candle": "candle", "clock": "clock", "soap": "soap", "headphones": "headphones earbuds",
    "speaker": "speaker", "microphone": "microphone", "turntable": "turntable", "keyboard": "keyboard",
    "mouse": "mouse", "screen": "monitor stand", "device": "dock ssd footrest", "cable": "cable", "book": "notebook",
    "pen": "pen", "puzzle": "puzzle", "game": "game marble", "robot": "robot", "lock": "lock",
}  # fmt: skip
"""Words of a slug by the shape they ask for; the last word that asks wins (a light set, a desk lamp)."""
_ASKED = {word: shape for shape, words in WORDS.items() for word in words.split()}


def shape_of(slug: str) -> str:
    """Name of the shape a slug asks for; a parcel when none of its words does."""
    asked = [_ASKED[word] for word in slug.split("-") if word in _ASKED]
    return asked[-1] if asked else "box"


def picture(slug: str) -> str:
    """The SVG of a slug, the same every time."""
    digest = hashlib.sha256(slug.encode()).digest()
    hue = digest[0] * 360 // 256
    name = escape(" ".join(word.capitalize() for word in slug.split("-") if word))
    place = {"x": 150 + digest[1] % 100, "y": 170 + digest[2] % 50}
    return FRAME.format(name=name, hue=hue, tint=(hue + 150) % 360, shape=SHAPES[shape_of(slug)], **place)
