from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dreamsite", "0002_closing")]

    operations = [
        migrations.CreateModel(
            name="WorkerBeat",
            fields=[
                ("worker", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
