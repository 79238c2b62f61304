#!/usr/bin/python3
"""Classifies images from Python, without anything but ctypes: usage: classify.py RUN IMAGE..."""
import ctypes
import sys


class Error(ctypes.Structure):
    _fields_ = [("what", ctypes.c_char * 3072), ("remedy", ctypes.c_char * 1024)]


class LoadOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("device", ctypes.c_char_p), ("precision", ctypes.c_char_p),
                ("threads", ctypes.c_int32), ("batch", ctypes.c_int32)]


def call(function, *arguments):
    error = Error()
    if function(*arguments, ctypes.byref(error)):
        sys.exit(f"{error.what.decode()}\n{error.remedy.decode()}")


run, *images = sys.argv[1:]
xf = ctypes.CDLL("libxferrun.so.0")
xf.xf_class_name.restype = ctypes.c_char_p
options, model = LoadOptions(ctypes.sizeof(LoadOptions), b"cpu", b"f32", 1, 1), ctypes.c_void_p()
call(xf.xf_load, run.encode(), ctypes.byref(options), ctypes.byref(model))
classes = [xf.xf_class_name(model, i).decode() for i in range(xf.xf_class_count(model))]
probabilities = (ctypes.c_float * (len(images) * len(classes)))()
paths = (ctypes.c_char_p * len(images))(*(i.encode() for i in images))
call(xf.xf_classify_files, model, paths, ctypes.c_size_t(len(images)), probabilities)
for i, image in enumerate(images):
    row = probabilities[i * len(classes):(i + 1) * len(classes)]
    print(image, classes[row.index(max(row))], format(max(row), ".9g"), sep="\t")
xf.xf_free(model)
