from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gallery', '0003_pages_exhibits_donations'),
    ]

    operations = [
        migrations.AddField(model_name='quarter', name='changes', field=models.PositiveIntegerField(default=0)),
    ]
