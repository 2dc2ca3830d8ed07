"""The method's money over long history: rolling condors and three hedge layers on modelled marks."""
