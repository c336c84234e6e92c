"""Facts the catalogue can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownProduct(NotFound):
    code = "product_unknown"
    message = "There is no such product."


class UnknownCategory(NotFound):
    code = "category_unknown"
    message = "There is no category {category}."


class CategoryTaken(Conflict):
    code = "category_slug_taken"
    message = "There is already a category {category}."


class CategoryCycle(Conflict):
    code = "category_cycle"
    message = "A category cannot lie inside itself."


class SkuTaken(Conflict):
    code = "sku_taken"
    message = "One of these SKUs is already in use."


class OptionsTaken(Conflict):
    code = "variant_options_taken"
    message = "Two active variants of a product cannot have the same options."


class ProductSlugTaken(Conflict):
    code = "product_slug_taken"
    message = "There is already a product with that slug."


class UnknownShop(NotFound):
    code = "product_merchant_unknown"
    message = "There is no such merchant."


class NotPublishable(Conflict):
    code = "product_not_publishable"
    message = "The product cannot be published: {lacks} is missing."
