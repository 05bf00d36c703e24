"""Results of other libraries as predictions: one file each, one function `predictions_of(result)`.

None of the libraries is needed here: their results are read by their documented attributes.
"""
