"""Scripts that train one net on a CSV file, each with another library: what `nnfs train` does, as its users write it.

A script takes a CSV file whose last column is the class, 0 or 1, a file for the weights, and the sizes of the job. It
reads the file, trains on four fifths of the rows, standardised, with Adam, computes loss and accuracy on the others
after every epoch, and writes the weights. All read with `numpy.loadtxt`, since it takes less time here than importing
pandas.
"""
